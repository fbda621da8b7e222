import pLimit from 'p-limit';

/** Works off what is to be closed, one after another: what a segment lost is counted from the end of the one before it. */
export class ClosingQueue {
  private readonly inTurn = pLimit(1);
  private failure: { readonly error: unknown } | undefined;

  /** Does the work once all before it is done. What goes wrong is told by `done`, and hinders nothing that follows. */
  add(work: () => Promise<void>): void {
    this.inTurn(work).catch((error: unknown) => {
      this.failure ??= { error };
    });
  }

  /** Settles when nothing is left. Rejects with the first error there was. */
  async done(): Promise<void> {
    await this.inTurn(() => {});
    if (this.failure !== undefined) throw this.failure.error;
  }
}
