/** What spoils a feed that arrives, and what its owner can change, in words. */

import type { VideoCodec } from '../rtp/video-payload.ts';

/** What the notices are made from. */
export interface FeedFacts {
  /** Frames arrive. */
  readonly online: boolean;
  readonly reorders: boolean;
  /** Null before the first parameter set. */
  readonly codec: VideoCodec | null;
  /** Since the newest keyframe; null before the first. */
  readonly keyframeAgeMs: number | null;
  /** The newest keyframe and what follows it is kept, so that viewers can start with it. */
  readonly keyframeKept: boolean;
  /** What the publisher's description already said. */
  readonly fromSource: readonly string[];
}

const LATE_MS = 4000;

/** The notices, one sentence each. Pure. */
export function noticesOf(facts: FeedFacts): string[] {
  if (!facts.online) return [];
  const notices = [...facts.fromSource];
  if (facts.reorders)
    notices.push(
      'It sends B-frames, of which browsers show only some. Set B-frames to 0 in its encoder, or choose the Baseline profile.',
    );
  if (facts.codec === 'h265')
    notices.push(
      'It sends H.265, which many browsers cannot play: they show JPEG pictures. Set it to H.264 if all are to see video.',
    );
  if (facts.keyframeAgeMs === null) {
    notices.push('It waits for the first keyframe.');
  } else if (!facts.keyframeKept && facts.keyframeAgeMs > LATE_MS) {
    notices.push(
      'Its keyframes are too far apart to be kept: new viewers wait for the next one. Set a keyframe every 2 s.',
    );
  }
  return notices;
}
