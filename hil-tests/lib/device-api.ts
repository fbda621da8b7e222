import { request } from 'node:https';
import { z } from 'zod';
import { type RouteId, routes } from '../../supervisor/contract/index.ts';
import type { Rig } from '../rig.ts';
import { RigError } from './errors.ts';

/** An answer with any status. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** A request. */
export interface ApiRequest {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly timeoutMs?: number;
}

/** The device's HTTP API from outside, over TLS with the certificate that the device made for itself. */
export class DeviceApi {
  readonly #endpoint: () => { readonly host: string; readonly port: number };
  readonly #token: () => Promise<string | null>;
  #knownToken: string | null = null;

  /** `token` asks the device, which is not quick: its answer is kept until the device rejects it. */
  constructor(
    endpoint: () => { readonly host: string; readonly port: number },
    token: () => Promise<string | null>,
  ) {
    this.#endpoint = endpoint;
    this.#token = token;
  }

  /** Calls a route of the contract; any status is an answer. */
  async call(id: RouteId, options: ApiRequest = {}): Promise<ApiAnswer> {
    const route = routes[id];
    const path = route.path.replaceAll(/:(\w+)/g, (_, name: string) =>
      encodeURIComponent(options.params?.[name] ?? ''),
    );
    const target = `${path}${options.query ?? ''}`;
    if ((route.access as readonly string[]).includes('public')) {
      return await this.send(route.method, target, null, options);
    }
    if (this.#knownToken !== null) {
      const answer = await this.send(route.method, target, this.#knownToken, options);
      if (answer.status !== 401) return answer;
    }
    this.#knownToken = await this.#token();
    return await this.send(route.method, target, this.#knownToken, options);
  }

  /** Calls a route and reads its JSON answer by the contract's own schema. Rejects for any other status. */
  async json<Id extends RouteId>(id: Id, options: ApiRequest = {}): Promise<ResponseOf<Id>> {
    const route = routes[id];
    const answer = await this.call(id, options);
    if (answer.status !== route.status) {
      const said = answer.body.toString('utf8').slice(0, 500);
      throw new RigError('RIG_TOOL', `${route.method} ${route.path} answered ${answer.status}: ${said}`);
    }
    const schema = 'response' in route ? route.response : undefined;
    if (!(schema instanceof z.ZodType)) throw new RigError('RIG_TOOL', `${route.path} does not answer JSON`);
    return schema.parse(JSON.parse(answer.body.toString('utf8'))) as ResponseOf<Id>;
  }

  /** A request of any kind, by path. */
  send(method: string, path: string, token: string | null, options: ApiRequest = {}): Promise<ApiAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
    const isText = typeof options.body === 'string';
    const body =
      options.body === undefined ? undefined : isText ? options.body : JSON.stringify(options.body);
    const headers = {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': options.contentType ?? 'application/json' }),
    };
    // The certificate is the device's own; its fingerprint is tested elsewhere.
    const tls = { rejectUnauthorized: false, servername: 'rushlight.local' };
    const signal = AbortSignal.timeout(options.timeoutMs ?? 60_000);
    const outgoing = request(
      { ...this.#endpoint(), method, path, headers, ...tls, signal, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
    return promise;
  }
}

type ResponseOf<Id extends RouteId> = (typeof routes)[Id] extends { readonly response: z.ZodType<infer T> }
  ? T
  : never;

/** The API of a rig's device, as its owner. */
export function apiOf(rig: Rig): DeviceApi {
  return new DeviceApi(
    () => rig.network.endpoint('tcp', 443),
    () => ownerToken(rig),
  );
}

/** The owner's token on the device now; null before it has one. */
async function ownerToken(rig: Rig): Promise<string | null> {
  const text = await rig.network.shell('cat /data/rushlight/owner-token 2> /dev/null || true');
  return text.trim() === '' ? null : text.trim();
}
