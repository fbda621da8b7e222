/** The HTTP side of publishing by WHIP (RFC 9725, sections 4.2 and 4.6). */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { credentialsAt } from './credential-scope.ts';
import { HubError } from './hub-error.ts';

const MAX_REDIRECTS = 3;
const MAX_BODY_BYTES = 128 * 1024;

export { type HubCode, HubError } from './hub-error.ts';

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

/** Posts an offer. `resource` is the session's URL, and `access` what may be shown there. Throws HubError. */
export async function postOffer(
  url: string,
  sdp: string,
  access: HubAccess,
  signal: AbortSignal,
): Promise<{ answer: string; resource: string; access: HubAccess }> {
  let target = new URL(url);
  let allowed = access;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await send('POST', target, allowed, signal, { type: 'application/sdp', text: sdp });
    const location = response.headers.location;
    if ((response.status === 307 || response.status === 308) && location !== undefined) {
      const next = locationAt(location, target);
      allowed = credentialsAt(target, next, allowed);
      target = next;
      continue;
    }
    if (response.status !== 201 || location === undefined) throw refusal(response);
    const resource = locationAt(location, target);
    return {
      answer: response.body,
      resource: resource.href,
      access: credentialsAt(target, resource, allowed),
    };
  }
  throw new HubError('HUB_REFUSED', 'too many redirects');
}

/** Ends the session at the hub. Throws HubError. */
export async function deleteSession(resource: string, access: HubAccess, signal: AbortSignal): Promise<void> {
  await send('DELETE', new URL(resource), access, signal, null);
}

function locationAt(location: string, base: URL): URL {
  const url = URL.parse(location, base.href);
  if (url === null) throw new HubError('HUB_REFUSED', 'the server names an address that is none');
  return url;
}

function refusal(response: HubResponse): HubError {
  let problem: { detail?: unknown; code?: unknown } = {};
  try {
    problem = Object(JSON.parse(response.body));
  } catch {
    // Not every server explains itself; the status has to do.
  }
  const detail = typeof problem.detail === 'string' ? problem.detail : 'no reason given';
  const retryAfterS = Number(response.headers['retry-after']);
  return new HubError('HUB_REFUSED', `the hub answered ${response.status}: ${detail}`, {
    status: response.status,
    hubCode: typeof problem.code === 'string' ? problem.code : undefined,
    retryAfterS: Number.isFinite(retryAfterS) ? retryAfterS : undefined,
  });
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
