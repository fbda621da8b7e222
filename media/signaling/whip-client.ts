/** The HTTP side of publishing by WHIP (RFC 9725, sections 4.2 and 4.6). */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { rootCertificates, type TLSSocket } from 'node:tls';
import { describeError, type ErrorDetails, RushlightError } from '../../common/errors.ts';
import type { CloseReason } from '../datapath/datapath.ts';

const MAX_REDIRECTS = 3;
const MAX_BODY_BYTES = 128 * 1024;

/** Why publishing failed. */
export type HubCode = 'HUB_UNREACHABLE' | 'HUB_REFUSED' | 'HUB_ANSWER' | 'HUB_IDENTITY' | 'HUB_SILENT';

interface HubErrorDetails extends ErrorDetails {
  readonly status?: number | undefined;
  readonly hubCode?: string | undefined;
  readonly detail?: string | undefined;
  readonly retryAfterS?: number | undefined;
  readonly ended?: CloseReason | undefined;
}

/**
 * Why publishing failed. `hubCode` and `detail` are what the server's own document says, if it gave one; `ended` is how the
 * connection ended, if there was one.
 */
export class HubError extends RushlightError {
  readonly code: HubCode;
  readonly status: number | undefined;
  readonly hubCode: string | undefined;
  readonly detail: string | undefined;
  readonly retryAfterS: number | undefined;
  readonly ended: CloseReason | undefined;

  constructor(code: HubCode, message: string, details: HubErrorDetails = {}) {
    super(message, details);
    this.code = code;
    this.status = details.status;
    this.hubCode = details.hubCode;
    this.detail = details.detail;
    this.retryAfterS = details.retryAfterS;
    this.ended = details.ended;
  }
}

/** What the hub wants to see of us, and we of it. */
export interface HubAccess {
  readonly token?: string | undefined;
  readonly tlsFingerprint?: string | undefined;
  /** Certificate authority (PEM) to accept in addition to the known ones. */
  readonly ca?: string | undefined;
  readonly timeoutMs: number;
  /** Default: the system's. */
  readonly lookup?: LookupFunction | undefined;
}

/** What a server agreed to. */
export interface Opened {
  readonly answer: string;
  /** The session's URL; null if the server names none (go2rtc). */
  readonly resource: string | null;
  /** Whether it names relays (TURN), which we do not use: if no direct way leads to it, that is why. */
  readonly namesRelay: boolean;
  /** Whether it refused our offer and made one of its own, which `answer` is then (WHEP draft, section 4.3.2). */
  readonly countered: boolean;
}

interface HubResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Posts an offer. Throws HubError. */
export async function postOffer(
  url: string,
  sdp: string,
  access: HubAccess,
  signal: AbortSignal,
): Promise<Opened> {
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
    const countered = isCounterOffer(response);
    if (response.status !== 201 && response.status !== 200 && !countered) throw refusal(response, target);
    return {
      countered,
      answer: response.body,
      resource: location === undefined ? null : resolved(location, target).href,
      namesRelay: namesRelay([response.headers.link ?? []].flat().join(', ')),
    };
  }
  throw new HubError('HUB_REFUSED', 'too many redirects');
}

/** Answers a counter-offer. Throws HubError. */
export async function patchAnswer(
  resource: string,
  url: string,
  sdp: string,
  access: HubAccess,
  signal: AbortSignal,
): Promise<void> {
  const target = new URL(resource);
  const own = accessAt(target, new URL(url), access);
  const response = await send('PATCH', target, own, signal, { type: 'application/sdp', text: sdp });
  if (response.status < 200 || response.status > 299) throw refusal(response, target);
}

function isCounterOffer({ status, headers }: HubResponse): boolean {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  return status === 406 && type === 'application/sdp' && headers.location !== undefined;
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

/** The token and the certificate belong to one server: another one that the first redirects to sees neither. */
function accessAt(target: URL, first: URL, access: HubAccess): HubAccess {
  if (target.origin === first.origin) return access;
  const { ca, timeoutMs, lookup } = access;
  return { ca, timeoutMs, lookup };
}

/** Whether `Link` headers with `rel="ice-server"` name a TURN server (RFC 9725, section 4.6). */
function namesRelay(link: string): boolean {
  return /<turns?:[^>]{1,500}>[^,]{0,500};\s*rel="?ice-server/i.test(link);
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

const longestDetail = 200;

/** For servers that do not explain themselves. */
const meaning: Readonly<Record<number, string>> = {
  401: 'it wants a token, or does not know this one',
  403: 'this token may not do that',
  404: 'there is nothing at this address, or nobody publishes there',
  405: 'this is not an address for WHIP or WHEP',
};

function refusal(response: HubResponse, { host }: URL): HubError {
  const problem = problemIn(response);
  // RFC 9457 has `detail`; MediaMTX and LiveKit use other names.
  const said = [problem.detail, problem.error, problem.message, problem.msg].find(
    (one): one is string => typeof one === 'string' && one.trim() !== '',
  );
  const detail = said === undefined ? undefined : printable(said);
  const retryAfterS = retryAfterOf(response.headers['retry-after']);
  const words = detail ?? meaning[response.status];
  const answer = `${host} answered ${response.status}`;
  return new HubError('HUB_REFUSED', words === undefined ? answer : `${answer}: ${words}`, {
    status: response.status,
    hubCode: typeof problem.code === 'string' ? problem.code : undefined,
    detail,
    retryAfterS,
  });
}

/** Not every server explains itself in JSON, or at all. */
function problemIn(response: HubResponse): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(response.body));
  } catch {
    return { error: isPlainText(response) ? response.body : undefined };
  }
}

function isPlainText({ headers, body }: HubResponse): boolean {
  const type = headers['content-type'] ?? '';
  return (type === '' || type.startsWith('text/plain')) && !body.trimStart().startsWith('<');
}

/** The first line of a stranger's text, as far as people read it. */
function printable(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line.replace(/\p{C}/gu, ' ').slice(0, longestDetail).trim();
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
    ...(access.lookup === undefined ? {} : { lookup: access.lookup }),
    ...(access.ca === undefined ? {} : { ca: [...rootCertificates, access.ca] }),
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
    const reason = describeError(cause);
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
