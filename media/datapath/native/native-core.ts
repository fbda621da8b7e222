import type { Logger } from 'pino';
import type { Handle, NativeAddon, NativeBinding, NativeEvent } from './native-binding.ts';
import { NativeSnapshot } from './native-snapshot.ts';

const INDEX_BITS = 16;
const GENERATIONS = 0x10000;

/** Gets the events of one object. */
export type NativeListener = (event: NativeEvent) => void;

/** One running native datapath: its handles, its events and its statistics. */
export class NativeCore implements Disposable {
  readonly calls: NativeBinding;
  readonly #addon: NativeAddon;
  readonly #logger: Logger;
  readonly #snapshot: NativeSnapshot;
  readonly #listeners = new Map<Handle, NativeListener>();
  readonly #generations: number[] = [];
  readonly #free: number[] = [];

  constructor(addon: NativeAddon, logger: Logger) {
    this.#addon = addon;
    this.#logger = logger;
    this.calls = new addon.Datapath((events) => {
      for (const event of events) this.#hand(event);
    });
    this.#snapshot = new NativeSnapshot(this.calls);
  }

  /** Statistics of a moment ago. */
  get statistics(): NativeSnapshot {
    return this.#snapshot;
  }

  /** A handle for an object about to be opened, and the receiver of its events. */
  take(listener: NativeListener = () => {}): Handle {
    const index = this.#free.pop() ?? this.#generations.push(0) - 1;
    const generation = ((this.#generations[index] ?? 0) + 1) % GENERATIONS || 1;
    this.#generations[index] = generation;
    const handle = generation * 2 ** INDEX_BITS + index;
    this.#listeners.set(handle, listener);
    return handle;
  }

  /** The object was closed; its handle is never given again. */
  release(handle: Handle): void {
    if (this.#listeners.delete(handle)) this.#free.push(handle % 2 ** INDEX_BITS);
  }

  /** Returns the memory of closed objects to the system. */
  trimMemory(): void {
    this.#addon.trimMemory();
  }

  [Symbol.dispose](): void {
    this.calls.close();
    this.#listeners.clear();
  }

  /** One session's failure keeps no event from the others that came in the same batch, and ends no process. */
  #hand(event: NativeEvent): void {
    try {
      this.#listeners.get(event[1])?.(event);
    } catch (error) {
      this.#logger.error({ err: error, type: event[0] }, 'an event of the datapath was not handled');
    }
  }
}
