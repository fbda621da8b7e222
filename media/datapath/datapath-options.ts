import type { Logger } from 'pino';

/** What a datapath needs. Times in milliseconds. */
export interface DatapathOptions {
  readonly logger: Logger;
  /** A viewer or publisher that is silent for this long is gone. Default 10 000. */
  readonly peerSilenceMs?: number;
  /** The same for a hub that we publish to. Default 3 000. */
  readonly hubSilenceMs?: number;
}

/** DTLS may begin and complete within this time of the answer, or the session is given up. */
export const CONNECT_TIMEOUT_MS = 15_000;

/** How long the other end of a session may be silent: of one that came to our port, or of one that we open. */
export function silenceMsOf(
  { peerSilenceMs = 10_000, hubSilenceMs = 3000 }: DatapathOptions,
  mode: 'lite' | 'controlling',
): number {
  return mode === 'lite' ? peerSilenceMs : hubSilenceMs;
}
