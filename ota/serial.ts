/** Runs tasks one after the other, in the order they came; a failed one does not hold up the next. */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task, task);
    this.#tail = result.catch(() => undefined); // Its own caller hears of the failure.
    return result;
  }
}
