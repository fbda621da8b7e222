/** The HTTP side of publishing by WHIP (RFC 9725, sections 4.2 and 4.6). */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { type ErrorDetails, RushlightError } from '../../common/errors.ts';

const MAX_REDIRECTS = 3;
const MAX_BODY_BYTES = 128 * 1024;

/** Why publishing failed. */
export type HubCode = 'HUB_UNREACHABLE' | 'HUB_REFUSED' | 'HUB_IDENTITY' | 'HUB_SILENT';

/** Why publishing failed; `hubCode` is the code of the hub's problem document, where it gave one. */
export class HubError extends RushlightError {
  readonly code: HubCode;
  readonly status: number | undefined;
  readonly hubCode: string | undefined;
  readonly retryAfterS: number | undefined;

  constructor(
    code: HubCode,
    message: string,
    options: ErrorDetails & {
      status?: number;
      hubCode?: string | undefined;
      retryAfterS?: number | undefined;
    } = {},
  ) {
    super(message, options);
    this.code = code;
    this.status = options.status;
    this.hubCode = options.hubCode;
    this.retryAfterS = options.retryAfterS;
  }
}

/** What the hub wants to see of us, and we of it. */
export interface HubAccess {
  readonly token?: string | undefined;
  readonly tlsFingerprint?: string | undefined;
  readonly timeoutMs: number;
}

interface HubResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Posts an offer. `resource` is the session's URL; null where the server names none (go2rtc). Throws HubError. */
export async function postOffer(
  url: string,
  sdp: string,
  access: HubAccess,
  signal: AbortSignal,
): Promise<{ answer: string; resource: string | null }> {
  const first = new URL(url);
  let target = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const own = accessAt(target, first, access);
    const response = await send('POST', target, own, signal, { type: 'application/sdp', text: sdp });
    const location = response.headers.location;
    if ((response.status === 307 || response.status === 308) && location !== undefined) {
      target = redirected(location, target);
      continue;
    }
    if (response.status !== 201 && response.status !== 200) throw refusal(response);
    return {
      answer: response.body,
      resource: location === undefined ? null : resolved(location, target).href,
    };
  }
  throw new HubError('HUB_REFUSED', 'too many redirects');
}

/** Ends the session that was opened at `url`. Throws HubError. */
export async function deleteSession(
  resource: string,
  url: string,
  access: HubAccess,
  signal: AbortSignal,
): Promise<void> {
  const target = new URL(resource);
  await send('DELETE', target, accessAt(target, new URL(url), access), signal, null);
}

/** The token and the certificate are those of one server: another one, wherever the first points to, sees neither. */
function accessAt(target: URL, first: URL, access: HubAccess): HubAccess {
  return target.origin === first.origin ? access : { timeoutMs: access.timeoutMs };
}

function redirected(location: string, from: URL): URL {
  const target = resolved(location, from);
  if (from.protocol === 'https:' && target.protocol !== 'https:')
    throw new HubError('HUB_REFUSED', `the hub points to ${target.origin}, which is not encrypted`);
  return target;
}

function resolved(location: string, base: URL): URL {
  try {
    return new URL(location, base);
  } catch (cause) {
    throw new HubError('HUB_REFUSED', 'the hub points to an address that cannot be read', { cause });
  }
}

function refusal(response: HubResponse): HubError {
  let problem: { detail?: unknown; code?: unknown } = {};
  try {
    problem = Object(JSON.parse(response.body));
  } catch {
    // Not every server explains itself; the status has to do.
  }
  const detail = typeof problem.detail === 'string' ? problem.detail : 'no reason given';
  const retryAfterS = retryAfterOf(response.headers['retry-after']);
  return new HubError('HUB_REFUSED', `the hub answered ${response.status}: ${detail}`, {
    status: response.status,
    hubCode: typeof problem.code === 'string' ? problem.code : undefined,
    retryAfterS,
  });
}

/** Seconds, or the date from which on trying again makes sense (RFC 9110, section 10.2.3). */
function retryAfterOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

async function send(
  method: string,
  url: URL,
  access: HubAccess,
  signal: AbortSignal,
  body: { type: string; text: string } | null,
): Promise<HubResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<HubResponse>();
  const secure = url.protocol === 'https:';
  const pinned = secure && access.tlsFingerprint !== undefined;
  const request = (secure ? requestHttps : requestHttp)(url, {
    method,
    agent: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(access.timeoutMs)]),
    headers: {
      ...(access.token === undefined ? {} : { authorization: `Bearer ${access.token}` }),
      ...(body === null ? {} : { 'content-type': body.type, 'content-length': Buffer.byteLength(body.text) }),
    },
    ...(pinned ? { rejectUnauthorized: false } : {}),
  });
  request.on('response', (response) => {
    collect(response).then(resolve, reject);
  });
  request.on('error', (error) => reject(error));
  if (pinned) {
    // Nothing is written, not even the token, before the hub has shown the certificate that it was adopted with.
    request.on('socket', (socket) => {
      socket.once('secureConnect', () => {
        const shown = (socket as TLSSocket).getPeerX509Certificate()?.fingerprint256;
        if (shown === access.tlsFingerprint?.toUpperCase()) request.end(body?.text);
        else request.destroy(new HubError('HUB_IDENTITY', 'the hub shows another certificate than expected'));
      });
    });
  } else {
    request.end(body?.text);
  }
  try {
    return await promise;
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HubError('HUB_UNREACHABLE', `the hub cannot be reached: ${reason}`, { cause });
  }
}

async function collect(response: IncomingMessage): Promise<HubResponse> {
  let body = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) throw new HubError('HUB_REFUSED', 'the answer is too long');
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}
