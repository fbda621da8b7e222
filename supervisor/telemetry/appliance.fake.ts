import type { Status } from '../contract/index.ts';
import type { ApplianceCommands, StatusSource } from './ports.ts';

/** A status that tests change. */
export class FakeStatus implements StatusSource {
  readonly #listeners = new Set<() => void>();
  #status: Status;
  #pageUrl: string | null = null;

  constructor(status: Status) {
    this.#status = status;
  }

  current(): Status {
    return this.#status;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  pageUrl(): string | null {
    return this.#pageUrl;
  }

  /** The page moves. */
  serveAt(pageUrl: string | null): void {
    this.#pageUrl = pageUrl;
    for (const listener of this.#listeners) listener();
  }

  set(changes: Partial<Status>): void {
    this.#status = { ...this.#status, ...changes };
    for (const listener of this.#listeners) listener();
  }
}

/** Start and end of a JPEG file with nothing in between. */
export const smallestJpeg = Buffer.from([0xff, 0xd8, 0xff, 0xd9]);

/** Records commands; `refuse` makes the next ones fail. */
export class FakeCommands implements ApplianceCommands {
  readonly calls: (readonly [name: string, ...args: unknown[]])[] = [];
  refuse: Error | null = null;

  setRole = (role: string) => this.#note('setRole', role);
  startTake = (cameras: readonly string[] | null) => this.#note('startTake', cameras);
  stopTake = () => this.#note('stopTake');
  identify = () => this.#note('identify');
  restart = (action: { readonly force: boolean }) => this.#note('restart', action);
  shutdown = (action: { readonly force: boolean }) => this.#note('shutdown', action);
  installUpdate = (request: unknown) => this.#note('installUpdate', request);
  rollbackUpdate = () => this.#note('rollbackUpdate');
  updateCamera = (id: string) => this.#note('updateCamera', id);
  startRollout = (request: unknown) => this.#note('startRollout', request);
  changeRollout = (action: string) => this.#note('changeRollout', action);
  adjust = (change: unknown) => this.#note('adjust', change);
  setTally = (state: string) => this.#note('setTally', state);

  async snapshot(feed: string): Promise<Buffer> {
    await this.#note('snapshot', feed);
    return smallestJpeg;
  }

  /** The calls of one method. */
  of(name: string): unknown[][] {
    return this.calls.filter(([called]) => called === name).map(([, ...args]) => args);
  }

  async #note(name: string, ...args: unknown[]): Promise<void> {
    if (this.refuse !== null) throw this.refuse;
    this.calls.push([name, ...args]);
  }
}
