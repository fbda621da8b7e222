/** The server under test: its endpoint, and requests to it. */
import { describeError } from '../../common/errors.ts';
import { ConformanceError } from './errors.ts';
import type { Protocol } from './requirement.ts';

/** Where a server answers. */
export interface Endpoint {
  readonly protocol: Protocol;
  readonly url: string;
  readonly token: string | null;
}

/** An HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** A request. */
export interface Asked {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default: the endpoint's; null sends none. */
  readonly token?: string | null;
}

const TIMEOUT_MS = 10_000;
/** Media type of descriptions. */
export const SDP = 'application/sdp';
/** Media type of trickle fragments. */
export const FRAGMENT = 'application/trickle-ice-sdpfrag';

/** One request; redirections are not followed. Rejects with ConformanceError if no answer came. */
export async function ask(endpoint: Endpoint, url: string, asked: Asked): Promise<Answer> {
  const token = asked.token === undefined ? endpoint.token : asked.token;
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
  try {
    const response = await fetch(url, {
      method: asked.method,
      redirect: 'manual',
      headers: { ...authorization, ...asked.headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(asked.body === undefined ? {} : { body: asked.body }),
    });
    return { status: response.status, headers: response.headers, body: await response.text() };
  } catch (cause) {
    throw new ConformanceError(`${asked.method} ${url} got no answer: ${describeError(cause)}`, { cause });
  }
}

/** Whether the status is 2xx. */
export const isGood = ({ status }: Answer): boolean => status >= 200 && status < 300;
/** Whether the status is 4xx. */
export const isRefused = ({ status }: Answer): boolean => status >= 400 && status < 500;

/** The media type of an answer without its parameters, in lower case. */
export function typeOf({ headers }: Answer): string {
  return (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** The names that a header lists, in lower case. */
export function listed({ headers }: Answer, name: string): string[] {
  const value = headers.get(name);
  return value === null ? [] : value.split(',').map((item) => item.trim().toLowerCase());
}
