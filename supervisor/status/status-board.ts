import { isDeepStrictEqual } from 'node:util';
import { pause } from '../../common/pause.ts';
import type { ApiEvent, Status } from '../contract/index.ts';

/** How the board makes snapshots. */
export interface StatusBoardOptions {
  /** Composes the snapshot; cheap enough to do once a second. */
  readonly compose: () => Status;
}

const everyMs = 1000;
/** Changes within this time are reported together. */
const gatherMs = 100;

/** The one snapshot that page, MQTT and metrics show, and the stream of changes. While no one listens, nothing is composed. */
export class StatusBoard {
  readonly #options: StatusBoardOptions;
  readonly #listeners = new Set<(event: ApiEvent) => void>();
  #last: Status | null = null;
  #poked = Promise.withResolvers<void>();

  constructor(options: StatusBoardOptions) {
    this.#options = options;
  }

  current(): Status {
    return this.#options.compose();
  }

  subscribe(listener: (event: ApiEvent) => void): () => void {
    this.#listeners.add(listener);
    this.poke();
    return () => void this.#listeners.delete(listener);
  }

  /** Sends an event to every listener. */
  emit(event: ApiEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Something changed: send it soon instead of with the next tick. */
  poke(): void {
    this.#poked.resolve();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#listeners.size > 0) this.#tellChange();
      this.#poked = Promise.withResolvers<void>();
      await Promise.race([pause(everyMs, signal), this.#poked.promise]);
      await pause(gatherMs, signal);
    }
  }

  #tellChange(): void {
    const status = this.current();
    if (isDeepStrictEqual(status, this.#last)) return;
    this.#last = status;
    this.emit({ type: 'status', status });
  }
}
