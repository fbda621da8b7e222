/**
 * Estimates what the link to the hub carries, from the loss that the hub's receiver reports show. The pipeline's encoder cannot
 * change its bit rate while it runs, so a new rate costs the live picture a second: the rate changes seldom, and never in a
 * take.
 */

/** The state of a push at one moment. */
export interface LinkSample {
  /** Of any clock that never goes back, in milliseconds. */
  readonly atMs: number;
  /** Sent lately, without repetitions, in kbit/s: on a full link repetitions multiply. */
  readonly sentKbps: number;
  /** Share lost since the report before, 0 to 1; null before the first. */
  readonly lossRatio: number | null;
}

/** What is known about a link. */
export interface LinkRate {
  /** What the link was seen to carry, in kbit/s; null: everything that was wanted. */
  readonly linkKbps: number | null;
  /** Since when much is lost, or next to nothing; null while loss is in between. */
  readonly lossySinceMs: number | null;
  readonly cleanSinceMs: number | null;
  /** How much of what was sent during loss arrived; averaged. */
  readonly arrivedKbps: number | null;
}

/** A link about which nothing is known yet. */
export const unmeasuredLink: LinkRate = {
  linkKbps: null,
  lossySinceMs: null,
  cleanSinceMs: null,
  arrivedKbps: null,
};

const lossy = 0.05;
const clean = 0.01;
/** Loss that lasts this long is more than a short disturbance. */
const lossyForMs = 8000;
/** After a step down, more is tried only once the link was clean for this long. */
const cleanForMs = 120_000;
const raiseBy = 1.5;
/** Below this no picture is worth sending, but it is tried anyway. */
const leastKbps = 200;

/**
 * Takes a sample and returns the state that remembers it. `frozen`: the pipeline may not be touched now, so the rate stays and
 * is judged again afterwards. `wantedKbps`: beyond this the link is no limit. Pure.
 */
export function judgeLink(
  state: LinkRate,
  sample: LinkSample,
  { wantedKbps, frozen }: { readonly wantedKbps: number; readonly frozen: boolean },
): LinkRate {
  if (frozen) return { ...unmeasuredLink, linkKbps: state.linkKbps };
  // Nothing was sent, or no report has come yet: nothing is known.
  if (sample.lossRatio === null || sample.sentKbps <= 0) return state;
  if (sample.lossRatio >= lossy) return judgeLoss(state, sample, sample.lossRatio);
  if (sample.lossRatio > clean) return { ...unmeasuredLink, linkKbps: state.linkKbps };
  return judgeClean(state, sample, wantedKbps);
}

function judgeLoss(state: LinkRate, { atMs, sentKbps }: LinkSample, lossRatio: number): LinkRate {
  const now = sentKbps * (1 - lossRatio);
  const arrivedKbps = state.arrivedKbps === null ? now : state.arrivedKbps * 0.8 + now * 0.2;
  const lossySinceMs = state.lossySinceMs ?? atMs;
  if (atMs - lossySinceMs < lossyForMs) return { ...state, lossySinceMs, cleanSinceMs: null, arrivedKbps };
  const linkKbps = Math.max(
    leastKbps,
    Math.min(state.linkKbps ?? Number.POSITIVE_INFINITY, Math.floor(arrivedKbps)),
  );
  return { ...unmeasuredLink, linkKbps };
}

function judgeClean(state: LinkRate, { atMs }: LinkSample, wantedKbps: number): LinkRate {
  const cleanSinceMs = state.cleanSinceMs ?? atMs;
  const calm = { ...unmeasuredLink, linkKbps: state.linkKbps, cleanSinceMs };
  if (state.linkKbps === null || atMs - cleanSinceMs < cleanForMs) return calm;
  const more = Math.floor(state.linkKbps * raiseBy);
  return { ...unmeasuredLink, linkKbps: more >= wantedKbps ? null : more };
}
