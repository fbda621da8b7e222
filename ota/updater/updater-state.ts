import type { UpdateView } from './types.ts';

/** A change of the state; absent fields stay. */
export interface StateChange {
  readonly state?: UpdateView['state'];
  readonly reason?: string | null;
  readonly progress?: number | null;
}

/** The state of the updater, and its subscribers. */
export class UpdaterState {
  readonly #listeners = new Set<() => void>();
  #state: UpdateView['state'] = 'unsupported';
  #reason: string | null = null;
  #progress: number | null = null;

  get current(): UpdateView['state'] {
    return this.#state;
  }

  /** Why it is in that state, for people. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Progress of the installation in percent; null while none runs. */
  get progress(): number | null {
    return this.#progress;
  }

  /** Returns the function that ends the subscription. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  set(change: StateChange): void {
    if (change.state !== undefined) this.#state = change.state;
    if (change.reason !== undefined) this.#reason = change.reason;
    if (change.progress !== undefined) this.#progress = change.progress;
    this.changed();
  }

  /** Something else that the view shows has changed. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
