/** Stopping takes two presses: the first arms, the second within the limit stops. */
export interface StopArming {
  readonly armedAtMs: number | null;
}

export const disarmed: StopArming = { armedAtMs: null };

/** A second press sooner than this is the same nervous tap. */
export const leastGapMs = 400;
/** An armed button nobody presses again is safe again after this. */
export const armedForMs = 4000;

export const isArmed = ({ armedAtMs }: StopArming, nowMs: number): boolean =>
  armedAtMs !== null && nowMs - armedAtMs < armedForMs;

export const press = (
  arming: StopArming,
  nowMs: number,
): { readonly arming: StopArming; readonly stops: boolean } => {
  const { armedAtMs } = arming;
  if (armedAtMs === null || !isArmed(arming, nowMs)) return { arming: { armedAtMs: nowMs }, stops: false };
  if (nowMs - armedAtMs < leastGapMs) return { arming, stops: false };
  return { arming: disarmed, stops: true };
};
