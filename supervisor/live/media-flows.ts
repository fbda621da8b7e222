/** What the media process sends to other servers and gets from them, and the same in the words of its control socket. */
import type { OutputStatus, ViewerStats } from '../../media/index.ts';

/** A feed and the server it is published to, or pulled from. */
export interface Push {
  readonly feed: string;
  /** Absent: the full one. */
  readonly layer?: 'low';
  readonly url: string;
  readonly token: string | null;
  readonly tlsFingerprint: string | null;
}

/** A feed and the server of others that it goes on to. */
export interface MediaOutput extends Push {
  readonly output: string;
  /** Certificate authority (PEM) to accept in addition to the known ones. */
  readonly ca: string | null;
}

/** How one stands, and what goes out of it; null while nothing does. */
export interface OutputFigures extends OutputStatus {
  readonly viewer: Pick<ViewerStats, 'bitrateKbps' | 'lossRatio' | 'rttMs' | 'skippedFrames'> | null;
}

/** An output as the media process is configured with it. */
export function outputOf({ output, ca, ...push }: MediaOutput) {
  return { output, ...endpointOf(push), ...(ca === null ? {} : { ca }) };
}

/** A push or a pull as the media process is configured with it. */
export function endpointOf({ feed, layer, url, token, tlsFingerprint }: Push) {
  return {
    feed,
    ...(layer === undefined ? {} : { layer }),
    url,
    ...(token === null ? {} : { token }),
    ...(tlsFingerprint === null ? {} : { tlsFingerprint: colons(tlsFingerprint) }),
  };
}

/** `aabb…` as `AA:BB:…`. */
function colons(fingerprint: string): string {
  return (fingerprint.replaceAll(':', '').toUpperCase().match(/../g) ?? []).join(':');
}
