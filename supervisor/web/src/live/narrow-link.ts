/** Whether a viewer's link carries the full layer: it falls back to the small one, and tries the full one again now and then. */

/** What was seen of the full layer in one look. */
export interface LinkLook {
  /** Share of the packets that never arrived; null if nothing arrived. */
  readonly lossRatio: number | null;
  readonly rttMs: number | null;
  /** How often the picture stood still since the last look. */
  readonly freezes: number;
}

/** What is known about the viewer's link. */
export interface LinkState {
  /** Looks that were bad, less those that were good since. */
  readonly strikes: number;
  /** Requests the small layer until then; null while the full one is requested. */
  readonly narrowUntilMs: number | null;
  /** For how long the next time. */
  readonly holdMs: number;
  /** Since when the full layer is looked at. */
  readonly sinceMs: number;
  /** The shortest round trip so far. */
  readonly leastRttMs: number | null;
}

const mostLoss = 0.04;
/** A queue on the way that is this much longer than it ever was delays the picture visibly. */
const mostQueueMs = 250;
const strikesOut = 2;
const firstHoldMs = 10_000;
const longestHoldMs = 120_000;
/** What comes right after a change of layer says little. */
const settlingMs = 2500;
/** After this long with the full layer, earlier failures are forgotten. */
const stableMs = 60_000;

/** A link that carries everything. */
export const wideLink: LinkState = {
  strikes: 0,
  narrowUntilMs: null,
  holdMs: firstHoldMs,
  sinceMs: Number.NEGATIVE_INFINITY,
  leastRttMs: null,
};

/** Whether the link is narrow now. */
export const isNarrow = ({ narrowUntilMs }: LinkState): boolean => narrowUntilMs !== null;

const isBad = ({ lossRatio, rttMs, freezes }: LinkLook, leastRttMs: number | null): boolean =>
  freezes > 0 ||
  (lossRatio ?? 0) > mostLoss ||
  (rttMs !== null && leastRttMs !== null && rttMs - leastRttMs > mostQueueMs);

/** The layer changed for another reason: what was seen of the one before no longer counts. */
export const settle = (state: LinkState, nowMs: number): LinkState => ({
  ...state,
  strikes: 0,
  sinceMs: nowMs,
});

/** The state after a sample of the full layer; `look` is null while another one is shown. */
export const judge = (state: LinkState, look: LinkLook | null, nowMs: number): LinkState => {
  if (state.narrowUntilMs !== null) {
    if (nowMs < state.narrowUntilMs) return state;
    return { ...state, narrowUntilMs: null, strikes: 0, sinceMs: nowMs };
  }
  if (look === null) return state;
  const leastRttMs =
    look.rttMs === null ? state.leastRttMs : Math.min(look.rttMs, state.leastRttMs ?? look.rttMs);
  const seen = { ...state, leastRttMs };
  if (nowMs - state.sinceMs < settlingMs) return seen;
  const strikes = isBad(look, leastRttMs) ? state.strikes + 1 : Math.max(0, state.strikes - 0.5);
  if (strikes >= strikesOut) {
    const holdMs = Math.min(longestHoldMs, state.holdMs * 2);
    return { ...seen, strikes: 0, narrowUntilMs: nowMs + state.holdMs, holdMs };
  }
  const stable = nowMs - state.sinceMs > stableMs;
  return { ...seen, strikes, ...(stable ? { holdMs: firstHoldMs } : {}) };
};
