/** User name and password for a camera over HTTP: Basic (RFC 7617), and Digest (RFC 7616), which many cameras ask for. */
import { createHash, randomBytes } from 'node:crypto';

/** User and password of a camera. */
export interface Password {
  readonly username: string;
  readonly password: string;
}

interface Request {
  readonly method: string;
  /** Path and query, as in the request. */
  readonly uri: string;
}

const hashes: Readonly<Record<string, string>> = {
  md5: 'md5',
  'sha-256': 'sha256',
  'sha-512-256': 'sha512-256',
};

/**
 * What to answer a camera that wants a password: Digest if it knows that, else Basic, even if it does not say what it
 * wants. Null if it wants something else. Pure but for the random number in it.
 */
export function authorizationFor(
  challenge: string | null,
  login: Password,
  request: Request,
  cnonce = randomBytes(12).toString('hex'),
): string | null {
  const offered = challenge === null ? [] : challengesIn(challenge);
  for (const one of offered) {
    const answer = one.scheme === 'digest' ? digest(one.parameters, login, request, cnonce) : null;
    if (answer !== null) return answer;
  }
  if (offered.length > 0 && !offered.some(({ scheme }) => scheme === 'basic')) return null;
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
}

interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** One header may contain several challenges, separated by the same comma as their parameters. Never throws. */
export function challengesIn(header: string): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  const token = /([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g;
  for (const [, name = '', quoted, plain] of header.slice(0, 4096).matchAll(token)) {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    if (value === undefined) found.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else found.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return found;
}

/** Null if it asks for what nobody here can do. */
function digest(
  parameters: Challenge['parameters'],
  { username, password }: Password,
  { method, uri }: Request,
  cnonce: string,
): string | null {
  const algorithm = parameters.get('algorithm') ?? 'MD5';
  const isSession = /-sess$/i.test(algorithm);
  const hash = hashes[algorithm.replace(/-sess$/i, '').toLowerCase()];
  const [realm, nonce, opaque] = ['realm', 'nonce', 'opaque'].map((name) => parameters.get(name));
  const offered =
    parameters
      .get('qop')
      ?.toLowerCase()
      .split(/[\s,]+/) ?? [];
  if (hash === undefined || realm === undefined || nonce === undefined) return null;
  if (offered.length > 0 && !offered.includes('auth')) return null;
  const of = (...parts: string[]) => createHash(hash).update(parts.join(':')).digest('hex');
  const plain = of(username, realm, password);
  const secret = isSession ? of(plain, nonce, cnonce) : plain;
  const count = '00000001';
  const what = of(method, uri);
  const response =
    offered.length > 0 ? of(secret, nonce, count, cnonce, 'auth', what) : of(secret, nonce, what);
  const fields = [
    `username=${quotedText(username)}`,
    `realm=${quotedText(realm)}`,
    `nonce=${quotedText(nonce)}`,
    `uri=${quotedText(uri)}`,
    `response="${response}"`,
    ...(parameters.has('algorithm') ? [`algorithm=${algorithm}`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quotedText(opaque)}`]),
    ...(offered.length > 0 ? ['qop=auth', `nc=${count}`] : []),
    ...(offered.length > 0 || isSession ? [`cnonce="${cnonce}"`] : []),
  ];
  const header = `Digest ${fields.join(', ')}`;
  // A header takes Latin-1; a name beyond that cannot be said in it.
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(header) ? header : null;
}

function quotedText(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
