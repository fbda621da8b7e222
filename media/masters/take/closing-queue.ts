import pLimit from 'p-limit';

/** Handles segments to be closed, one after another: the loss of a segment is counted from the end of the one before it. */
export class ClosingQueue {
  readonly #inTurn = pLimit(1);
  #failure: { readonly error: unknown } | undefined;

  /** Does the work once everything before it is done. `done` reports a failure, which does not affect what follows. */
  add(work: () => Promise<void>): void {
    this.#inTurn(work).catch((error: unknown) => {
      this.#failure ??= { error };
    });
  }

  /** Settles when nothing is left. Rejects with the first error. */
  async done(): Promise<void> {
    await this.#inTurn(() => {});
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
