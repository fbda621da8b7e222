import { backoffMs } from '../../../../common/backoff.ts';
import type { WhepErrorCode } from './whep.ts';

/**
 * How many tries in a row may end with this code before the feed is shown as JPEG pictures. If a code is missing here, pictures
 * would not work any better than video: the appliance does not answer, or there is nothing to show.
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

/** While pictures are shown, video is tried from time to time: a decoder may have been installed, or the network changed. */
const videoRetryLimits = { firstMs: 10_000, maxMs: 60_000 };

/** Pause before the next try of video, in milliseconds. */
export const videoRetryMs = (attempt: number): number => backoffMs(attempt, videoRetryLimits);

/** One message for all feeds that are shown as pictures; null if there are none. */
export const picturesNotice = (reasons: Iterable<string | null>): string | null => {
  const given = [...new Set(reasons)].filter((reason) => reason !== null);
  if (given.length === 0) return null;
  return `You see JPEG pictures instead of video, a little later and without sound. ${given.join(' ')} Video starts automatically as soon as it works.`;
};
