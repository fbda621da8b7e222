/** Work that gets a signal, which aborts when no caller waits any more. */
export type ExclusiveTask<T> = (signal: AbortSignal) => Promise<T>;

/** How a task waits for its turn. */
export interface ExclusiveOptions {
  /** Leaves the queue, or cancels the task once every caller that waits for it has left. */
  readonly signal?: AbortSignal;
  /**
   * Joins a waiting task of the same name instead of queueing behind it; the later task takes the earlier one's place and both
   * callers get its result. For tasks that carry out the latest request, such as "apply".
   */
  readonly coalesce?: boolean;
}

interface Job {
  readonly name: string;
  task: ExclusiveTask<unknown>;
  readonly abort: AbortController;
  readonly done: PromiseWithResolvers<unknown>;
  waiting: number;
}

/** Runs tasks that must never overlap (apply, update, reboot) one after the other, in order of arrival. */
export class ExclusiveRunner {
  #queue: Job[] = [];
  #running: Job | undefined;

  /** The name of the task that runs. */
  get current(): string | undefined {
    return this.#running?.name;
  }

  /** The names of the tasks that wait, in order. */
  get waiting(): readonly string[] {
    return this.#queue.map(({ name }) => name);
  }

  /**
   * Runs a task once nothing else runs.
   * @throws the signal's reason if it aborts; otherwise what the task throws.
   */
  async run<T>(name: string, task: ExclusiveTask<T>, options: ExclusiveOptions = {}): Promise<T> {
    options.signal?.throwIfAborted();
    const job = this.#enqueue(name, task, options.coalesce ?? false);
    const result = this.#await(job, options.signal) as Promise<T>;
    this.#next();
    return result;
  }

  #enqueue(name: string, task: ExclusiveTask<unknown>, coalesce: boolean): Job {
    const joined = coalesce ? this.#queue.find((job) => job.name === name) : undefined;
    if (joined !== undefined) {
      joined.task = task;
      return joined;
    }
    const job = {
      name,
      task,
      abort: new AbortController(),
      done: Promise.withResolvers<unknown>(),
      waiting: 0,
    };
    // All callers may have left by the time it fails; each of them got its own reason.
    job.done.promise.catch(() => {});
    this.#queue.push(job);
    return job;
  }

  /** Waits for a job on behalf of one caller, which may leave. */
  async #await(job: Job, signal: AbortSignal | undefined): Promise<unknown> {
    job.waiting += 1;
    if (signal === undefined) return job.done.promise;
    const gone = Promise.withResolvers<never>();
    const leave = () => {
      job.waiting -= 1;
      if (job.waiting === 0) this.#cancel(job, signal.reason);
      // The last caller to leave waits for the running task's end: until then nothing else may run.
      if (this.#running !== job || job.waiting > 0) gone.reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([job.done.promise, gone.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #cancel(job: Job, reason: unknown): void {
    this.#queue = this.#queue.filter((other) => other !== job);
    job.abort.abort(reason);
  }

  #next(): void {
    const job = this.#running === undefined ? this.#queue.shift() : undefined;
    if (job === undefined) return;
    this.#running = job;
    void this.#execute(job);
  }

  async #execute(job: Job): Promise<void> {
    try {
      job.done.resolve(await job.task(job.abort.signal));
    } catch (error) {
      job.done.reject(error);
    } finally {
      this.#running = undefined;
      this.#next();
    }
  }
}
