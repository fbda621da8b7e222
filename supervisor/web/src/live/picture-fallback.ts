import { backoffMs } from '../../../../common/backoff.ts';
import type { WhepErrorCode } from './whep.ts';

/**
 * How many tries in a row may end like this before the feed is shown as JPEG pictures. Where a code is missing, pictures
 * would fare no better than video: the appliance does not answer, or there is nothing to show.
 */
const triesBeforePictures: Partial<Record<WhepErrorCode, number>> = {
  NO_WEBRTC: 1,
  NO_H264: 1,
  NO_ROUTE: 1,
  NO_FRAMES: 1,
  REFUSED: 1,
  ANSWER_INVALID: 1,
  CONNECTION_LOST: 2,
  FRAMES_STOPPED: 2,
};

/** Whether pictures help after `failures` tries in a row, of which the last ended with `code`. */
export const picturesHelp = (code: WhepErrorCode, failures: number): boolean =>
  failures >= (triesBeforePictures[code] ?? Number.POSITIVE_INFINITY);

/** While pictures are shown, video is tried now and then: a decoder may have been installed, or the network changed. */
const videoRetryLimits = { firstMs: 10_000, maxMs: 60_000 };

export const videoRetryMs = (attempt: number): number => backoffMs(attempt, videoRetryLimits);

/** What is said once for all feeds that are shown as pictures; null where none is. */
export const picturesNotice = (reasons: Iterable<string | null>): string | null => {
  const given = [...new Set(reasons)].filter((reason) => reason !== null);
  if (given.length === 0) return null;
  return `You see JPEG pictures instead of video, a little later and without sound. ${given.join(' ')} Video starts by itself as soon as it works.`;
};
