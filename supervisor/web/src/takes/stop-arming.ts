/** Stopping takes two presses: the first arms, the second within the limit stops. */
export interface StopArming {
  readonly armedAtMs: number | null;
}

/** The button at rest. */
export const disarmed: StopArming = { armedAtMs: null };

/** A second press sooner than this belongs to the same nervous tap. */
export const leastGapMs = 400;
/** An armed button that is not pressed again is safe again after this. */
export const armedForMs = 4000;

/** Whether the next press stops. */
export const isArmed = ({ armedAtMs }: StopArming, nowMs: number): boolean =>
  armedAtMs !== null && nowMs - armedAtMs < armedForMs;

/** What a press does. */
export const press = (
  arming: StopArming,
  nowMs: number,
): { readonly arming: StopArming; readonly stops: boolean } => {
  const { armedAtMs } = arming;
  if (armedAtMs === null || !isArmed(arming, nowMs)) return { arming: { armedAtMs: nowMs }, stops: false };
  if (nowMs - armedAtMs < leastGapMs) return { arming, stops: false };
  return { arming: disarmed, stops: true };
};
