/** The phases of an update. */
export const phases = ['download', 'write', 'arm', 'trial', 'commit'] as const;
/** See {@link phases}. */
export type Phase = (typeof phases)[number];

/**
 * What begins each phase on the console. A streamed bundle is downloaded while it is written, too: `download` is what
 * comes before the first slot is written (signature, manifest, index).
 */
const beginnings: readonly (readonly [RegExp, Phase])[] = [
  [/^guest: install$/, 'download'],
  [/Updating slots\s*$|Updating slots$/, 'write'],
  [/Updating slots done/, 'arm'],
  [/^guest: commit$/, 'commit'],
];

/** Follows an update by the machine's output, learns how long its phases take, and cuts the power within one of them. */
export class UpdateWatch {
  readonly #durations = new Map<Phase, number>();
  #wanted: { readonly phase: Phase; readonly share: number } | null = null;
  #phase: Phase | null = null;
  #sinceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #cut: Phase | null = null;
  #power: (() => void) | null = null;
  #due = false;

  /** The phase the power was cut in; null if it was not. */
  get cutPhase(): Phase | null {
    return this.#cut;
  }

  /** Before a start: a cut after `share` of the phase's usual time, or none. */
  begin(wanted: { readonly phase: Phase; readonly share: number } | null): void {
    this.#wanted = wanted;
    this.#cut = null;
  }

  /** Another machine runs now; a cut that was due between the two applies to it. */
  power(cut: () => void): void {
    this.#power = cut;
    if (this.#due) this.#cutNow();
  }

  hear(line: string): void {
    const next = this.#next(line);
    if (next === undefined || next === this.#phase) return;
    const now = performance.now();
    if (this.#phase !== null) this.#learn(this.#phase, now - this.#sinceMs);
    this.#phase = next;
    this.#sinceMs = now;
    if (next === null || this.#wanted?.phase !== next) return;
    const delayMs = this.#wanted.share * (this.#durations.get(next) ?? 1000);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#due = true;
      if (this.#power !== null) this.#cutNow();
    }, delayMs);
  }

  /** The machine is off, whatever the reason. */
  off(): void {
    this.#power = null;
  }

  describe(): string {
    return phases
      .map((phase) => `${phase} ${((this.#durations.get(phase) ?? 0) / 1000).toFixed(1)} s`)
      .join(', ');
  }

  #cutNow(): void {
    this.#due = false;
    // If the phase was already over, the cut came right after it.
    this.#cut = this.#phase ?? this.#wanted?.phase ?? null;
    this.#phase = null;
    this.#power?.();
    this.#power = null;
  }

  /** The last one counts: the host may be busier now, or less. */
  #learn(phase: Phase, ms: number): void {
    this.#durations.set(phase, ms);
  }

  /** The phase that a line begins, null between two updates, undefined if it says nothing about it. */
  #next(line: string): Phase | null | undefined {
    if (this.#phase === 'arm' && line.includes('reboot: Restarting system')) return 'trial';
    if (this.#phase === 'commit' && line.startsWith('guest: committed')) return null;
    return beginnings.find(([pattern]) => pattern.test(line))?.[1];
  }
}
