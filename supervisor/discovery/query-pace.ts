import { pause } from '../../common/pause.ts';

const firstDelayMs = 250;
const searchingDelayMs = 4000;
const restingDelayMs = 45_000;

/**
 * When to ask: quickly at first, then every 4 s while something is missing, and every 45 s once it is found (records live 120
 * s, so two answers may get lost).
 */
export class QueryPace {
  #delayMs = firstDelayMs;
  #resting = false;
  #wake = new AbortController();

  /** Calls `ask` at this pace until abort. */
  async run(signal: AbortSignal, ask: () => void): Promise<void> {
    while (!signal.aborted) {
      ask();
      const early = AbortSignal.any([signal, this.#wake.signal]);
      await pause(this.#nextDelayMs(), early);
    }
  }

  hurry(): void {
    this.#resting = false;
    this.#delayMs = firstDelayMs;
    this.#wake.abort();
    this.#wake = new AbortController();
  }

  relax(): void {
    this.#resting = true;
  }

  #nextDelayMs(): number {
    if (this.#resting) return restingDelayMs;
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, searchingDelayMs);
    return delayMs;
  }
}
