/** What the tracks of a feed have in common. */
import { randomInt } from 'node:crypto';
import type { TrackRelay } from '../datapath/datapath.ts';
import { StreamNormalizer } from '../rtp/stream-normalizer.ts';
import { TrackClock } from './sender-clock.ts';

/** RTP clock rate of video, in Hz. */
export const VIDEO_CLOCK_HZ = 90_000;

/** What a track is made of. */
export interface TrackParts {
  readonly relay: TrackRelay;
  readonly normalizer: StreamNormalizer;
  readonly clock: TrackClock;
}

/** Makes them. */
export function createTrackParts(relay: TrackRelay, clockRate: number): TrackParts {
  return {
    relay,
    normalizer: new StreamNormalizer(clockRate, { sequence: 0x10000, timestamp: randomInt(0, 2 ** 32 - 1) }),
    clock: new TrackClock(clockRate),
  };
}
