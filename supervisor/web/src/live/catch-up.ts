/** A picture as the browser presents it (HTMLVideoElement.requestVideoFrameCallback). */
export interface PresentedPicture {
  /** The page's clock. */
  readonly atMs: number;
  /** 32 bits at 90 kHz. It wraps, and steps where a source or a layer begins. */
  readonly rtpTimestamp: number;
  /** Pictures so far, with those that were decoded and never presented. */
  readonly count: number;
  readonly width: number;
}

/** What to do with a picture. */
export type PictureVerdict =
  /** It comes before the change: show it, and remember it. */
  | 'follow'
  /** Catching up: show the remembered picture instead. If there is none, remember this one. */
  | 'hold'
  /** At the pace of life: show it, and look at no more of them. */
  | 'live';

/** What is known when pictures are about to begin. */
export interface CatchUpStart {
  /** Another layer was asked for while pictures of this width are shown; null: nothing worth continuing is shown. */
  readonly widthBefore: number | null;
  /** Pictures of the feed in a second; null if unknown. */
  readonly fps: number | null;
}

/** Pictures are held back for this long at most, in milliseconds. A decoder that needs longer shows how it catches up. */
export const holdLimitMs = 3000;
/** The same after a change of layer: the layer before is a still then, while its feed could be seen moving. */
export const changeLimitMs = 250;
/** A change that has not come by then does not come. */
export const followLimitMs = 2000;
/** No camera's pictures are closer together. Those that a viewer missed are: the hub compresses their time. */
const leastSpacingMs = 4;
/** The same as a share of the feed's own spacing. A rate that is only just being measured may be too low: less than the usual one does not count. */
const leastShare = 0.4;
const usualFps = 30;
/**
 * If another layer's times continue those before without a step, the hub puts what was missed of it into one refresh of the screen. Forty
 * pictures there are this far apart: the race of fewer is brief, and not worth a wait for the sharp picture.
 */
const briefSpacingMs = 0.4;
/** The times before and after cannot be compared. */
const stepMs = 1000;
/** Pictures appear when the screen is refreshed: two may be a refresh closer together or further apart than they were made. */
const refreshMs = 20;
/** How far a pace may be from that of life. */
const tolerance = 0.5;
/**
 * The count of pictures runs ahead of those on the screen, so one interval may look like life in the middle of a race; and a race that ends
 * may look like it over two. Both must.
 */
const intervals = 2;

const spacingOf = (fps: number): number =>
  Math.max(leastSpacingMs, (1000 / Math.max(usualFps, fps)) * leastShare);

const passedMs = (before: PresentedPicture, after: PresentedPicture): number =>
  ((after.rtpTimestamp - before.rtpTimestamp) | 0) / 90;

const isStep = (before: PresentedPicture, after: PresentedPicture): boolean => {
  const passed = passedMs(before, after);
  return passed < 0 || passed - (after.atMs - before.atMs) > stepMs;
};

/**
 * Decides which pictures of a feed are worth showing while its viewer catches up: a viewer that joins gets everything since the last
 * keyframe at once, and its browser has to decode all of it.
 */
export class CatchUp {
  /** Pictures are held back for this long at most, in milliseconds. */
  readonly limitMs: number;
  readonly #widthBefore: number | null;
  #leastSpacingMs: number;
  #recent: readonly PresentedPicture[] = [];
  #beganMs: number | null = null;
  #heldMs: number | null = null;

  constructor({ widthBefore, fps }: CatchUpStart) {
    this.#widthBefore = widthBefore;
    this.limitMs = widthBefore === null ? holdLimitMs : changeLimitMs;
    this.#leastSpacingMs = fps === null ? leastSpacingMs : spacingOf(fps);
  }

  look(picture: PresentedPicture): PictureVerdict {
    this.#beganMs ??= picture.atMs;
    const last = this.#recent.at(-1) ?? null;
    const steps = last === null || isStep(last, picture);
    const before = steps ? [] : this.#recent;
    this.#recent = [...before, picture].slice(-intervals);
    if (this.#heldMs !== null) {
      const tooLong = picture.atMs - this.#heldMs >= this.limitMs;
      return tooLong || (!steps && before.every((one) => this.#isLife(one, picture))) ? 'live' : 'hold';
    }
    if (picture.width === this.#widthBefore && (last === null || !steps)) {
      return picture.atMs - this.#beganMs >= followLimitMs ? 'live' : 'follow';
    }
    if (!steps) this.#leastSpacingMs = briefSpacingMs;
    this.#recent = [picture];
    this.#heldMs = picture.atMs;
    return 'hold';
  }

  /** Slower than life does not count either: pictures are waiting to be decoded, and will race. */
  #isLife(before: PresentedPicture, after: PresentedPicture): boolean {
    const passed = passedMs(before, after);
    const spent = after.atMs - before.atMs;
    const spacing = passed / Math.max(1, after.count - before.count);
    return spacing >= this.#leastSpacingMs && Math.abs(passed - spent) <= spent * tolerance + refreshMs;
  }
}
