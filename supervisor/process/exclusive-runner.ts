import { BusyError } from './errors.ts';

export type ExclusiveTask<T> = (signal: AbortSignal) => Promise<T>;

export interface ExclusiveOptions {
  /** Leaves the queue, or cancels the task where everybody who waits for it has gone. */
  readonly signal?: AbortSignal;
  /**
   * Joins a waiting task of the same name instead of queueing behind it; the later task takes the earlier one's
   * place and both callers get its result. For tasks that carry out the latest wish, such as "apply".
   */
  readonly coalesce?: boolean;
  /** Fails with BusyError instead of waiting. */
  readonly onlyIfFree?: boolean;
}

interface Job {
  readonly name: string;
  task: ExclusiveTask<unknown>;
  readonly abort: AbortController;
  readonly done: PromiseWithResolvers<unknown>;
  waiting: number;
}

interface Hold {
  readonly reason: string;
  readonly blocks: readonly string[];
}

/**
 * Runs what must never overlap (apply, update, reboot) one after the other, in order of arrival. A hold, such as
 * a running take, refuses tasks of certain names for as long as it lasts.
 */
export class ExclusiveRunner {
  private queue: Job[] = [];
  private running: Job | undefined;
  private readonly holds = new Set<Hold>();

  /** The name of the task that runs. */
  get current(): string | undefined {
    return this.running?.name;
  }

  /** The names of the tasks that wait, in order. */
  get waiting(): readonly string[] {
    return this.queue.map(({ name }) => name);
  }

  /** What a task of this name would have to wait for, in words; empty: nothing. */
  blockersOf(name: string): readonly string[] {
    const held = [...this.holds].filter(({ blocks }) => blocks.includes(name)).map(({ reason }) => reason);
    return [...held, ...(this.running === undefined ? [] : [this.running.name]), ...this.waiting];
  }

  /** Refuses the named tasks until it is disposed of. */
  hold(reason: string, blocks: readonly string[]): Disposable {
    const hold: Hold = { reason, blocks };
    this.holds.add(hold);
    return { [Symbol.dispose]: () => void this.holds.delete(hold) };
  }

  /**
   * Runs a task once nothing else runs.
   * @throws BusyError where a hold refuses it, or where it is to run only if free and something runs;
   *   the signal's reason where that was aborted; whatever the task throws.
   */
  async run<T>(name: string, task: ExclusiveTask<T>, options: ExclusiveOptions = {}): Promise<T> {
    options.signal?.throwIfAborted();
    const holds = [...this.holds].filter(({ blocks }) => blocks.includes(name));
    if (holds.length > 0)
      throw new BusyError(
        name,
        holds.map(({ reason }) => reason),
      );
    const blockers = this.blockersOf(name);
    if (options.onlyIfFree === true && blockers.length > 0) throw new BusyError(name, blockers);
    const job = this.enqueue(name, task, options.coalesce ?? false);
    const result = this.await(job, options.signal) as Promise<T>;
    this.next();
    return result;
  }

  private enqueue(name: string, task: ExclusiveTask<unknown>, coalesce: boolean): Job {
    const joined = coalesce ? this.queue.find((job) => job.name === name) : undefined;
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
    // Callers may all have gone by the time it fails; each of them got its own reason.
    job.done.promise.catch(() => {});
    this.queue.push(job);
    return job;
  }

  /** Waits for a job on behalf of one caller, who may go. */
  private async await(job: Job, signal: AbortSignal | undefined): Promise<unknown> {
    job.waiting += 1;
    if (signal === undefined) return job.done.promise;
    const gone = Promise.withResolvers<never>();
    const leave = () => {
      job.waiting -= 1;
      if (job.waiting === 0) this.cancel(job, signal.reason);
      // The last to go awaits the running task's end: until it has wound up, nothing else may run.
      if (this.running !== job || job.waiting > 0) gone.reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([job.done.promise, gone.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  private cancel(job: Job, reason: unknown): void {
    this.queue = this.queue.filter((other) => other !== job);
    job.abort.abort(reason);
  }

  private next(): void {
    const job = this.running === undefined ? this.queue.shift() : undefined;
    if (job === undefined) return;
    this.running = job;
    void this.execute(job);
  }

  private async execute(job: Job): Promise<void> {
    try {
      job.done.resolve(await job.task(job.abort.signal));
    } catch (error) {
      job.done.reject(error);
    } finally {
      this.running = undefined;
      this.next();
    }
  }
}
