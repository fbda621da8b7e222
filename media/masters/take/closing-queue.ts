/** Works off what is to be closed, one after another: what a segment lost is counted from the end of the one before it. */
export class ClosingQueue {
  private last: Promise<void> = Promise.resolve();
  private failure: { readonly error: unknown } | undefined;

  /** Does the work once all before it is done. What goes wrong is told by `done`, and hinders nothing that follows. */
  add(work: () => Promise<void>): void {
    this.last = this.last.then(work).catch((error: unknown) => {
      this.failure ??= { error };
    });
  }

  /** Settles when nothing is left. Rejects with the first error there was. */
  async done(): Promise<void> {
    await this.last;
    if (this.failure !== undefined) throw this.failure.error;
  }
}
