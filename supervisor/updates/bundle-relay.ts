import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { TokenBucket } from '../../common/token-bucket.ts';
import { type HubEndpoint, pinTls } from '../discovery/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';

/** What the relay needs. */
export interface BundleRelayOptions {
  /** Asked for each try, because the hub may move to another address. Null while none is known. */
  readonly hub: () => HubEndpoint | null;
  /** Of the bundle on the hub. */
  readonly path: string;
  readonly log: Logger;
  /** How long the hub may be away; RAUC itself gives up at once. */
  readonly patienceMs?: number;
}

type Head = Readonly<Record<string, string>>;

const passedOn = ['content-length', 'content-range', 'content-type', 'accept-ranges', 'etag'] as const;
const retryMs = 500;
const fruitlessTries = 10;
/** An answer without a length is an error text. */
const maxUnannounced = 64 * 1024;
/** A hub that has just started verifies the bundle before it serves it again. */
const notYet = 503;

/**
 * Lets RAUC read the hub's bundle from this machine's loopback. RAUC's own client cannot pin the hub's certificate, and would
 * put the camera's key on a command line; here both stay in this process. If an answer breaks off because the hub restarts or
 * the cable is out, the relay continues where it ended.
 */
export class BundleRelay implements AsyncDisposable {
  readonly #options: BundleRelayOptions;
  readonly #server: Server;
  /** No other program on this machine needs the bundle. */
  readonly #secret = randomBytes(16).toString('hex');
  readonly #end = new AbortController();
  #agent: { readonly key: string; readonly agent: HttpAgent } | null = null;

  private constructor(options: BundleRelayOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#relay(request, response));
  }

  static async open(options: BundleRelayOptions): Promise<BundleRelay> {
    const relay = new BundleRelay(options);
    // RAUC reads over a few connections; other programs on this machine must not use up descriptors.
    relay.#server.maxConnections = 16;
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    // A connection that cannot be accepted must not end the process.
    relay.#server.on('error', (error) => options.log.warn({ err: error }, 'the relay accepts no connection'));
    return relay;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/${this.#secret}/bundle.raucb`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    this.#agent?.agent.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #relay(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, this.#end.signal]);
    try {
      if (request.url !== new URL(this.url).pathname) response.writeHead(404).end();
      else if (request.method !== 'GET' && request.method !== 'HEAD')
        response.writeHead(405, { allow: 'GET, HEAD' }).end();
      else await this.#answer(request, response, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#options.log.warn({ err: error }, 'the bundle cannot be read from the hub');
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { method = 'GET' } = request;
    const range = request.headers.range;
    const first = await this.#ask(method, range === undefined ? {} : { range }, signal);
    response.writeHead(first.statusCode ?? 502, headOf(first));
    const { etag } = first.headers;
    const { start, length } = spanOf(first);
    let part = first;
    let sent = 0;
    const fruitless = new TokenBucket({ burst: fruitlessTries, perSecond: 0.2 });
    for (;;) {
      const bytes = await copy(part, response, length === 0 ? maxUnannounced : length - sent, signal);
      sent += bytes;
      if (sent >= length || method === 'HEAD') break;
      // A hub that keeps sending empty answers keeps this camera busy and makes no progress.
      if (bytes === 0) {
        if (!fruitless.take())
          throw new ApplianceError('MEMBER_UNREACHABLE', 'the hub answers, and sends nothing');
        await sleep(retryMs, undefined, { signal });
      }
      // The hub ended in the middle: the rest of the same bundle.
      if (etag === undefined)
        throw new ApplianceError('MEMBER_UNREACHABLE', 'the answer of the hub broke off');
      const rest = `bytes=${start + sent}-${start + length - 1}`;
      part = await this.#ask('GET', { range: rest, 'if-range': etag }, signal);
      if (part.statusCode !== 206)
        throw new ApplianceError('MEMBER_UNREACHABLE', 'the hub has another bundle now');
    }
    response.end();
  }

  /** Asks the hub until it answers, or time is up. Any error other than "not yet" is an answer. */
  async #ask(method: string, headers: Head, signal: AbortSignal): Promise<IncomingMessage> {
    const deadlineMs = performance.now() + (this.#options.patienceMs ?? 60_000);
    for (;;) {
      try {
        const answer = await this.#askOnce(method, headers, signal);
        if (answer.statusCode !== notYet || performance.now() > deadlineMs) return answer;
        answer.resume();
      } catch (error) {
        if (signal.aborted || performance.now() > deadlineMs) throw error;
        this.#options.log.debug({ err: error }, 'the hub does not answer yet');
      }
      await sleep(retryMs, undefined, { signal });
    }
  }

  async #askOnce(method: string, headers: Head, signal: AbortSignal): Promise<IncomingMessage> {
    const hub = this.#options.hub();
    if (hub === null) throw new ApplianceError('MEMBER_UNREACHABLE', 'no hub is known');
    const url = new URL(this.#options.path, `${hub.url}/`);
    const agent = await this.#agentFor(url, hub.tlsFingerprint, signal);
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const authorization: Head = hub.token === null ? {} : { authorization: `Bearer ${hub.token}` };
    const asked = request(url, { method, agent, signal, headers: { ...headers, ...authorization } });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return answer;
  }

  /** Connections stay open from one part to the next; the certificate is checked before anything secret is sent. */
  async #agentFor(url: URL, fingerprint: string | null, signal: AbortSignal): Promise<HttpAgent> {
    const key = `${url.origin} ${fingerprint}`;
    if (this.#agent?.key === key) return this.#agent.agent;
    const secure = url.protocol === 'https:';
    const tls = secure && fingerprint !== null ? await pinTls(url, fingerprint, signal) : {};
    const agent = secure ? new HttpsAgent({ keepAlive: true, ...tls }) : new HttpAgent({ keepAlive: true });
    this.#agent?.agent.destroy();
    this.#agent = { key, agent };
    return agent;
  }
}

/** Passes on a body, at most `most` bytes of it, as fast as it is read. Returns how many came before it ended or broke. */
async function copy(
  from: IncomingMessage,
  to: ServerResponse,
  most: number,
  signal: AbortSignal,
): Promise<number> {
  let bytes = 0;
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      const wanted = chunk.subarray(0, most - bytes);
      bytes += wanted.length;
      if (!to.write(wanted)) await once(to, 'drain', { signal });
      if (wanted.length === chunk.length) continue;
      // More than was announced: that is not part of the bundle.
      from.destroy();
      break;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    // The hub went away: the caller asks for the rest.
  }
  return bytes;
}

function headOf({ headers }: IncomingMessage): Head {
  return Object.fromEntries(
    passedOn.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  );
}

/** Which bytes of the bundle an answer contains. */
function spanOf({ headers }: IncomingMessage): { start: number; length: number } {
  const start = Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? 0);
  const length = Number(headers['content-length'] ?? 0);
  return { start, length: Number.isSafeInteger(length) && length > 0 ? length : 0 };
}
