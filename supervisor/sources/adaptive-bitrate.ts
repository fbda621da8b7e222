/**
 * What the link to the hub carries, judged by the loss that the hub's receiver reports tell. The pipeline's encoder cannot
 * change its bit rate while it runs, so a new rate costs the live picture a second: it is chosen seldom, and never in a take.
 */

/** What a push looks like at a moment. */
export interface LinkSample {
  /** Of any clock that never goes back. */
  readonly atMs: number;
  /** Sent lately, without repetitions: on a link that is full these multiply. */
  readonly sentKbps: number;
  /** Share lost since the report before; null before the first. */
  readonly lossRatio: number | null;
}

export interface LinkRate {
  /** What the link was seen to carry; null: all that was wanted of it. */
  readonly linkKbps: number | null;
  /** Since when much is lost, or next to nothing; null while it is something between. */
  readonly lossySinceMs: number | null;
  readonly cleanSinceMs: number | null;
  /** Much of what was sent while it was lossy arrived; averaged. */
  readonly arrivedKbps: number | null;
}

export const unmeasuredLink: LinkRate = {
  linkKbps: null,
  lossySinceMs: null,
  cleanSinceMs: null,
  arrivedKbps: null,
};

const lossy = 0.05;
const clean = 0.01;
/** Loss of this length is no gust. */
const lossyForMs = 8000;
/** After a change down, only a link that is clean for so long is tried with more. */
const cleanForMs = 120_000;
const raiseBy = 1.5;
/** Below this no picture is worth sending; it is tried nevertheless. */
const leastKbps = 200;

/**
 * Takes a sample; what it says is remembered by the state returned. `frozen`: the pipeline may not be touched now, so the
 * rate stays and is judged anew afterwards. `wantedKbps`: beyond this the link is no limit. Pure.
 */
export function judgeLink(
  state: LinkRate,
  sample: LinkSample,
  { wantedKbps, frozen }: { readonly wantedKbps: number; readonly frozen: boolean },
): LinkRate {
  if (frozen) return { ...unmeasuredLink, linkKbps: state.linkKbps };
  // Nothing sent, or no report yet: nothing is known.
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
