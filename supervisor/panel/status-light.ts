import { setTimeout as sleep } from 'node:timers/promises';
import { type Light, type LightPattern, playPattern } from '../platform/light.ts';
import { type ApplianceState, stateSigns } from './appliance-state.ts';

const identifyPattern: LightPattern = [150, 150];

/** The light whose pattern shows the state. */
export class StatusLight {
  #state: ApplianceState = 'booting';
  #identifying = 0;
  #changed = new AbortController();

  show(state: ApplianceState): void {
    if (state === this.#state) return;
    this.#state = state;
    if (this.#identifying === 0) this.#change();
  }

  /** Blinks fast for this long, whatever the state. */
  async identify(forMs: number): Promise<void> {
    this.#identifying += 1;
    this.#change();
    await sleep(forMs);
    this.#identifying -= 1;
    this.#change();
  }

  /** Plays on a light until the signal. @throws GpioError */
  async run(open: () => Promise<Light>, signal: AbortSignal): Promise<void> {
    await using light = await open();
    while (!signal.aborted) {
      const pattern = this.#identifying > 0 ? identifyPattern : stateSigns[this.#state].pattern;
      await playPattern(light, pattern, AbortSignal.any([signal, this.#changed.signal]));
    }
  }

  #change(): void {
    this.#changed.abort();
    this.#changed = new AbortController();
  }
}
