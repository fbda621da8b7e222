import { availableParallelism } from 'node:os';
import { freeBytesFor, remainingSeconds } from '../disk/disk.ts';
import type { MastersOptions, RecordableCamera } from '../masters-options.ts';
import type { SegmentProgress } from '../segment/segment-watch.ts';
import { chooseStrategy, type StrategyChoice, type StrategyFacts } from './strategy-choice.ts';

/** Decides how cameras are recorded, and says for how long the disk lasts. */
export class RecordPlanner {
  readonly #options: Pick<MastersOptions, 'settings' | 'speed' | 'rates' | 'store'>;
  #measuring = new AbortController();

  constructor(options: Pick<MastersOptions, 'settings' | 'speed' | 'rates' | 'store'>) {
    this.#options = options;
  }

  /** An earlier measurement decides: a take begins at once, and does not wait for a new one. */
  async choose(facts: Omit<StrategyFacts, 'measuredFps'>): Promise<StrategyChoice> {
    const measuredFps = await this.#options.speed.known(facts.codec, facts.raw, masterThreads());
    return chooseStrategy({ ...facts, measuredFps });
  }

  /**
   * Seconds that can still be recorded on these cameras before only the reserve is left; null if nothing would grow.
   * @param growing what is recorded of a camera at this moment
   */
  async remainingSeconds(
    cameras: readonly RecordableCamera[],
    growing: (camera: string) => SegmentProgress | undefined,
  ): Promise<number | null> {
    const { settings, store, rates } = this.#options;
    const { codec, strategy: configured, reserveBytes } = settings();
    if (codec === 'off') return null;
    const planned = cameras.map(async ({ camera, raw }) => {
      const { strategy } = await this.choose({ codec, raw, configured, atOnce: cameras.length });
      return await rates.bytesPerSecond({ camera, raw, codec, strategy, growing: growing(camera) });
    });
    const total = (await Promise.all(planned)).reduce((sum, rate) => sum + rate, 0);
    return remainingSeconds(await freeBytesFor(store.root), reserveBytes, total);
  }

  /**
   * Measures how fast this machine compresses what its cameras deliver, if that decides how takes are recorded and is unknown.
   * `interrupt` ends it early. Rejects with the reason of `signal`.
   */
  async measure(cameras: readonly RecordableCamera[], signal: AbortSignal): Promise<void> {
    const { codec, strategy } = this.#options.settings();
    if (codec === 'off' || strategy !== 'auto') return;
    this.#measuring = new AbortController();
    const interrupted = this.#measuring.signal;
    const either = AbortSignal.any([signal, interrupted]);
    try {
      for (const { raw } of cameras.filter((camera) => camera.raw.codec === 'rawvideo')) {
        await this.#options.speed.measured(codec, raw, masterThreads(), either);
      }
    } catch (error) {
      if (signal.aborted || !interrupted.aborted) throw error;
    }
  }

  /** A take begins: what is being measured would slow it down. */
  interrupt(): void {
    this.#measuring.abort();
  }
}

/** All cores: a recorder that falls behind loses frames, which is worse than a slowdown of anything else. */
export function masterThreads(): number {
  return Math.min(16, availableParallelism());
}
