import { once } from 'node:events';
import { connect } from 'node:net';
import {
  fingerprintToPin,
  PinMismatchError,
  type PinnedTls,
  pinTls,
  serverCertificate,
} from '../discovery/pinned-tls.ts';
import { type Answer, firstToAnswer } from './first-to-answer.ts';
import type { HubCandidate } from './hub-locator.ts';

export interface HubTrust {
  /** SHA-256 of the certificate the hub must show; null where none is known. */
  readonly pin: string | null;
  /** Whether a key will be sent, which only a server that proved itself may get. */
  readonly hasKey: boolean;
}

export interface ReachedHub {
  /** Base URL at which it answers. */
  readonly url: string;
  /** Accepts the hub's certificate and no other; empty where an authority has to vouch for it, or without TLS. */
  readonly tls: PinnedTls | Record<string, never>;
}

const withinMs = 5000;

/**
 * Finds out at which of its addresses a hub answers, and that it is the one. Of a machine with several addresses some may lead
 * nowhere; they are tried side by side. Where the URL names a host, Node does the same with the addresses of that name.
 * Rejects with PinMismatchError where any of them shows another key and none the right one, else with the first one's error.
 */
export async function reachHub(
  hub: Pick<HubCandidate, 'url' | 'otherUrls'>,
  trust: HubTrust,
  signal: AbortSignal,
): Promise<ReachedHub> {
  const urls = [hub.url, ...hub.otherUrls];
  // One address alone is not tried before it is used.
  const greet = (url: string, aborted: AbortSignal) =>
    greetHub(new URL(url), trust, aborted, urls.length > 1);
  const { address, value } = await firstOf(urls, greet, signal);
  return { url: address, tls: value };
}

async function greetHub(
  url: URL,
  { pin, hasKey }: HubTrust,
  signal: AbortSignal,
  probing: boolean,
): Promise<ReachedHub['tls']> {
  if (url.protocol === 'https:') {
    // Without a key nothing secret is sent: the hub's answer only tells whether this camera has to be adopted.
    const shown = pin ?? (hasKey ? null : fingerprintToPin(await serverCertificate(url, signal)));
    if (shown !== null) return await pinTls(url, shown, signal);
  } else if (pin !== null) {
    // In the clear anybody could take the hub's name, and get this camera's key and pictures.
    throw new PinMismatchError(`${url.host} shows no key, unlike the hub this camera belongs to.`, {
      hint: 'If TLS was switched off on the hub on purpose, adopt the camera anew.',
    });
  }
  if (probing) await touch(url, signal);
  return {};
}

/** Whether anybody takes a connection there. */
async function touch(url: URL, signal: AbortSignal): Promise<void> {
  const port = url.port === '' ? { 'http:': 80, 'https:': 443 }[url.protocol] : Number(url.port);
  const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port: port ?? 80 });
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]) });
  } finally {
    socket.destroy();
  }
}

async function firstOf<T>(
  urls: readonly string[],
  attempt: (url: string, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<Answer<T>> {
  try {
    return await firstToAnswer(urls, attempt, signal);
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error;
    throw error.errors.find((one) => one instanceof PinMismatchError) ?? error.errors[0];
  }
}
