import { once } from 'node:events';
import { connect } from 'node:net';
import {
  fingerprintToPin,
  PinMismatchError,
  type PinnedTls,
  pinTls,
  serverCertificate,
} from '../discovery/index.ts';
import { type Answer, firstToAnswer } from './first-to-answer.ts';
import type { HubCandidate } from './hub-locator.ts';

/** How far a hub must prove itself. */
export interface HubTrust {
  /** SHA-256 of the certificate the hub must show; null if none is known. */
  readonly pin: string | null;
  /** Whether a key will be sent, which only a server that proved itself may get. */
  readonly hasKey: boolean;
}

/** A hub that answered, and how to talk to it. */
export interface ReachedHub {
  /** Base URL at which it answers. */
  readonly url: string;
  /** Accepts the hub's certificate and no other; empty if an authority vouches for it, or without TLS. */
  readonly tls: PinnedTls | Record<string, never>;
}

const withinMs = 5000;

/**
 * Finds the address at which a hub answers, and checks that it is the right hub. A machine with several addresses may be
 * reachable at only some of them, so they are tried side by side. If the URL has a host name, Node does the same with the
 * addresses of that name. Rejects with PinMismatchError if any of them shows another key and none the right one, else with the
 * first one's error.
 */
export async function reachHub(
  hub: Pick<HubCandidate, 'url' | 'otherUrls'>,
  trust: HubTrust,
  signal: AbortSignal,
): Promise<ReachedHub> {
  const urls = [hub.url, ...hub.otherUrls];
  // A single address is not tried in advance.
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
    // Without a key nothing secret is sent: the hub's answer only says whether this camera has to be adopted.
    const shown = pin ?? (hasKey ? null : fingerprintToPin(await serverCertificate(url, signal)));
    if (shown !== null) return await pinTls(url, shown, signal);
  } else if (pin !== null) {
    // Without TLS anyone could use the hub's name and get this camera's key and pictures.
    throw new PinMismatchError(`${url.host} shows no key, unlike the hub this camera belongs to.`, {
      hint: 'If you switched off TLS on the hub on purpose, adopt the camera again.',
    });
  }
  if (probing) await touch(url, signal);
  return {};
}

/** Whether anything accepts a connection there. */
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
