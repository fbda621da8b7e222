import type { IncomingMessage } from 'node:http';
import type { AccessRole } from '../../contract/index.ts';
import type { Caller } from '../../contract/ports.ts';
import type { KeyStore } from '../../system/key-store.ts';
import { isLoopback, isLoopbackHost, mayCall, plainAddress } from '../access/access-rule.ts';
import type { SignInLimiter } from '../access/sign-in-limiter.ts';
import { ApiError } from '../api-error.ts';

/** Name of the cookie that replaces the bearer token. */
export const sessionCookie = 'rushlight_session';

/** Who gets access. */
export interface AccessOptions {
  readonly keys: KeyStore;
  /** False in the simulation, which listens only on loopback: everyone who reaches it is its owner. */
  readonly required: boolean;
  /**
   * Port of HTTPS beside this one: a token that arrives without HTTPS is rejected, because everyone on the way could have read
   * it.
   */
  readonly tlsPort?: number | null;
  readonly signIns?: SignInLimiter;
}

interface Presented {
  readonly token: string | null;
  readonly asPassword?: true;
  readonly byCookie: boolean;
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Finds out who asks, and rejects those who may not. Rejects with TOKEN_MISSING, TOKEN_UNKNOWN, ACCESS_DENIED or
 * ORIGIN_REFUSED.
 */
export function checkAccess(
  request: IncomingMessage,
  access: readonly AccessRole[],
  { keys, required, tlsPort = null, signIns }: AccessOptions,
): Caller {
  const address = plainAddress(request.socket.remoteAddress ?? '');
  if (!required) {
    refuseForeignPages(request);
    return { role: 'owner', subject: null, keyId: null, address };
  }
  const { token, byCookie, asPassword } = presentedToken(request);
  const key = token === null ? null : keys.find(token);
  if (token !== null) refuseKeyInTheClear(request, tlsPort);
  if (key === null) {
    if (mayCall('public', access)) return { role: 'public', subject: null, keyId: null, address };
    const waitS = asPassword === true ? (signIns?.failed(address) ?? null) : null;
    if (waitS !== null) {
      throw new ApiError('SIGN_INS_TOO_MANY', 'Too many tries with wrong passwords.', {
        retryAfterS: waitS,
        hint: `Wait ${waitS} seconds, and look whether the key was revoked.`,
      });
    }
    throw token === null
      ? new ApiError('TOKEN_MISSING', 'This needs a token.', {
          hint: 'Send "Authorization: Bearer <token>". The owner token is on the console and in the QR code of the first boot.',
        })
      : new ApiError('TOKEN_UNKNOWN', 'This token is not known here, or was revoked.');
  }
  if (byCookie && mayChange(request)) refuseCrossSite(request);
  if (!mayCall(key.role, access)) {
    throw new ApiError('ACCESS_DENIED', `A ${key.role} may not do this; it takes ${access.join(' or ')}.`);
  }
  return { role: key.role, subject: key.subject, keyId: key.id, address };
}

/** Browsers keep other pages from reading the answer of a safe method, but not from a WebSocket. */
function mayChange({ method, headers }: IncomingMessage): boolean {
  return !safeMethods.has(method ?? '') || headers.upgrade !== undefined;
}

/** The token of a request, from its header, cookie or password. */
export function presentedToken(request: IncomingMessage): Presented {
  const header = request.headers.authorization;
  const bearer = header === undefined ? null : /^Bearer\s+(\S+)\s*$/i.exec(header);
  if (bearer?.[1] !== undefined) return { token: bearer[1], byCookie: false };
  const password = header === undefined || !takesPassword(request.url ?? '') ? null : passwordIn(header);
  // Browsers send a password by themselves, like a cookie, no matter which page made the request.
  if (password !== null) return { token: password, byCookie: true, asPassword: true };
  const cookie = new RegExp(`(?:^|;\\s*)${sessionCookie}=([^;]+)`).exec(request.headers.cookie ?? '');
  return { token: cookie?.[1] ?? null, byCookie: cookie !== null };
}

/**
 * Routes for players without bearer tokens, such as VLC, go2rtc and Home Assistant: they send a user name, which may be
 * anything, and a password, which is the key.
 */
export function takesPassword(url: string): boolean {
  return /^\/(?:stream|whep|whip|ws\/feeds)\//.test(url);
}

function passwordIn(header: string): string | null {
  const [, encoded] = /^Basic\s+([A-Za-z0-9+/_-]+=*)\s*$/i.exec(header) ?? [];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : text.slice(colon + 1);
}

/** Whether others on the network could read this. */
export function isInTheClear({ socket }: IncomingMessage): boolean {
  const encrypted = 'encrypted' in socket && socket.encrypted === true;
  return !encrypted && !isLoopback(plainAddress(socket.remoteAddress ?? ''));
}

/** The same address by HTTPS. */
export function secureUrl(request: IncomingMessage, tlsPort: number): string {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  return `https://${host}${tlsPort === 443 ? '' : `:${tlsPort}`}${request.url ?? '/'}`;
}

/**
 * If HTTPS is served, no key is sent or accepted without it.
 * @throws ApiError (TLS_REQUIRED)
 */
export function refuseKeyInTheClear(request: IncomingMessage, tlsPort: number | null): void {
  if (tlsPort === null || !isInTheClear(request)) return;
  throw new ApiError(
    'TLS_REQUIRED',
    'A key is only taken by HTTPS here: without it, others can read it on the way.',
    {
      hint: `Use ${secureUrl(request, tlsPort)}, or set http.tls = false where the network is yours alone. A key that was sent without HTTPS is better revoked.`,
    },
  );
}

/** Without tokens only pages of this machine may talk to us: not other sites, and not through a rebound DNS name. */
function refuseForeignPages(request: IncomingMessage): void {
  const host = request.headers.host ?? '';
  const origin = request.headers.origin;
  const originHost = origin === undefined ? null : hostOf(origin);
  if (!isLoopbackHost(host) || (originHost !== null && !isLoopbackHost(originHost))) {
    throw new ApiError('ORIGIN_REFUSED', 'Without tokens, only pages of this machine are served.', {
      hint: 'Open http://localhost with the port, or set http.auth = "required".',
    });
  }
}

function refuseCrossSite(request: IncomingMessage): void {
  const site = request.headers['sec-fetch-site'];
  const origin = request.headers.origin;
  const sameOrigin = origin === undefined || hostOf(origin) === request.headers.host;
  if ((site !== undefined && site !== 'same-origin' && site !== 'none') || !sameOrigin) {
    throw new ApiError('ORIGIN_REFUSED', 'This request came from another site.');
  }
}

function hostOf(origin: string): string {
  return URL.parse(origin)?.host ?? origin;
}
