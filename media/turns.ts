/** Lets one after another do its work, in the order they asked; one that failed does not hold up the next. */
export class Turns {
  private tail: Promise<unknown> = Promise.resolve();
  private count = 0;

  /** Whether somebody is at work, or waits for it. */
  get busy(): boolean {
    return this.count > 0;
  }

  /** Settles as the task does. A task must not ask for a turn and wait for it: its own would never end. */
  run<T>(task: () => Promise<T>): Promise<T> {
    this.count += 1;
    const done = this.tail.then(task).finally(() => {
      this.count -= 1;
    });
    // Its own caller hears of a failure.
    this.tail = done.catch(() => undefined);
    return done;
  }
}
