/** Why an output cannot send, in words for people: what happened, and what to do next. */
import type { CloseReason } from '../datapath/datapath.ts';
import type { RemoteTarget } from './remote-flow.ts';
import type { HubError } from './whip-client.ts';

type Target = Pick<RemoteTarget, 'url' | 'token'>;

/** Stream keys in addresses are long; shorter parts are ordinary words. */
const KEY_LENGTH = 16;
const MAX_DETAIL = 200;

/** It never contains the token, or a part of the URL that may be a stream key: everybody who may watch can read it. */
export function outputWords(error: HubError, target: Target): string {
  return withoutSecrets(wordsOf(error, target), target);
}

function wordsOf(error: HubError, target: Target): string {
  switch (error.code) {
    case 'HUB_UNREACHABLE':
      return unreachable(error, new URL(target.url));
    case 'HUB_IDENTITY':
      return 'The server shows another certificate than tls_fingerprint names. Check the server; if its certificate was renewed, set the new fingerprint.';
    case 'HUB_SILENT':
      return ended(error);
    case 'HUB_ANSWER': {
      const codec = /^NO_H(26\d)$/.exec(error.hubCode ?? '')?.[1];
      return codec !== undefined
        ? `The server does not accept H.${codec}. Allow H.${codec} on the server: feeds are never encoded again.`
        : `The server's answer is not one of WHIP. Check that the URL is its WHIP endpoint, not a page.`;
    }
    case 'HUB_REFUSED':
      return error.status === undefined ? sentence(error.message) : refused(error, error.status, target);
  }
}

function refused(error: HubError, status: number, { token }: Target): string {
  const said = saidBy(error);
  // MediaMTX answers 400 to a wrong password.
  const isAboutToken = status === 401 || (status < 404 && /\bauth|credential|\btoken\b/i.test(said));
  if (isAboutToken && token === undefined) {
    return `The server asks for a token (${status}). Set the token of this output.${said}`;
  }
  if (isAboutToken) return `The server refused the token (${status}). Check the token of this output.${said}`;
  switch (status) {
    case 403:
      return `The server does not allow publishing here (403). Check the token's rights and the URL.${said}`;
    case 404:
      return `The server has nothing at this URL (404). Check the path of the URL.${said}`;
    case 405:
      return `The server does not accept WHIP at this URL (405). Check that it is the WHIP endpoint, not a page.${said}`;
    case 400:
    case 406:
    case 415:
    case 422:
      return `The server cannot take this feed (${status}). Check which codecs it accepts: it must take H.264.${said}`;
    case 409:
      return `Somebody else publishes there already (409). Stop that stream, or choose another URL.${said}`;
    case 429:
      return `The server asks for fewer attempts (429). The next one follows later.${said}`;
    case 503:
      return `The server has no capacity now (503). It is tried again automatically.${said}`;
    default:
      break;
  }
  if (status >= 500) return `The server failed (${status}). Check its log.${said}`;
  if (status >= 300 && status < 400)
    return `The server points elsewhere (${status}). Set the URL that it names now.${said}`;
  return `The server refused the feed (${status}).${said}`;
}

const reachWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there. Check that the server runs, and the port of the URL.',
  EHOSTUNREACH: 'No way leads there. Check the network and the address.',
  ENETUNREACH: 'No way leads there. Check the network and the address.',
  ECONNRESET: 'It closed the connection. Check whether the URL needs https:// or http://.',
  EPROTO: 'It does not speak TLS. Check whether the URL needs http:// instead of https://.',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'It does not speak TLS. Check whether the URL needs http:// instead of https://.',
  HPE_INVALID_CONSTANT: 'It does not speak HTTP. Check whether the URL needs https://, and the port.',
  CERT_HAS_EXPIRED: 'Its certificate has expired. Renew it, and check the clocks of both machines.',
  CERT_NOT_YET_VALID: 'Its certificate is not valid yet. Check the clocks of both machines.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Its certificate is for another name. Use the name that the certificate has.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Its certificate is self-signed. Set tls_fingerprint or ca_file.',
  SELF_SIGNED_CERT_IN_CHAIN:
    'Its certificate comes from an unknown authority. Set tls_fingerprint or ca_file.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'Its certificate comes from an unknown authority. Set tls_fingerprint or ca_file.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'Its certificate comes from an unknown authority. Set tls_fingerprint or ca_file.',
};

function unreachable({ cause }: HubError, { host, hostname }: URL): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `No address was found for ${hostname}. Check the name in the URL, and the network's name server.`;
  }
  if (cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError')) {
    return `${host} does not answer. Check the address, and firewalls on the way.`;
  }
  const known = reachWords[code];
  if (known !== undefined) return `${host} cannot be reached. ${known}`;
  return `${host} cannot be reached: ${cause instanceof Error ? sentence(cause.message) : code}`;
}

const endWords: Readonly<Record<CloseReason, string>> = {
  closed: 'The session was ended.',
  'remote-closed': 'The server ended the session. Check its log.',
  'connect-timeout':
    'The server agreed, but no packet gets through. Open its UDP port in firewalls on the way, and check the addresses it announces.',
  silent: 'The server fell silent. It is tried again.',
  'dtls-failed': 'Encryption with the server could not be negotiated (DTLS). Check its log.',
  'datapath-closed': 'The media process ended.',
};

function ended({ ended: reason = 'closed', hubCode }: HubError): string {
  const relay = ' It offers a relay (TURN), which outputs do not use.';
  return `${endWords[reason]}${hubCode === 'RELAY_NEEDED' ? relay : ''}`;
}

/** One line of what the server wrote. */
function saidBy({ detail }: HubError): string {
  const text = (detail ?? '')
    .slice(0, 4 * MAX_DETAIL)
    .replace(/[\p{C}\s\u2028\u2029]+/gu, ' ')
    .trim();
  return text === '' ? '' : ` It said: ${text.slice(0, MAX_DETAIL)}`;
}

function withoutSecrets(text: string, { url, token }: Target): string {
  const { pathname, searchParams } = new URL(url);
  const keys = [...pathname.split('/'), ...searchParams.values()].filter((part) => part.length >= KEY_LENGTH);
  return [token ?? '', ...keys, ...keys.map(decoded)]
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length)
    .reduce((shown, secret) => shown.replaceAll(secret, '…'), text);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // A lone percent sign: then it stays in texts unchanged.
  }
}

function sentence(text: string): string {
  const words = text.replace(/^the hub/, 'The server');
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? '' : '.'}`;
}
