import { RushlightError } from './errors.ts';
import { mountOf, mounts } from './mounts.ts';

/** A disk does not answer: what was asked of it may still happen, or never. */
export class DiskSilentError extends RushlightError {
  readonly code = 'DISK_SILENT';

  constructor(mount: string) {
    super(`the disk at ${mount} does not answer`);
  }
}

/** How one question is asked. */
export interface Asking<T> {
  /** How long the answer may take, in milliseconds. */
  readonly patienceMs?: number;
  /** Undoes what a late answer brought, such as an open file. */
  readonly undo?: (late: T) => void;
}

interface Question {
  readonly sinceMs: number;
  /** It waits longer than usual questions may. */
  isOverdue: boolean;
  /** Its caller has given up. */
  isLate: boolean;
}

interface Waiting {
  readonly begin: () => void;
  /** Null: it waits for as long as the disk is silent. */
  readonly refuse: ((error: DiskSilentError) => void) | null;
}

/**
 * Node has four threads for all files (libuv), and a disk that hangs holds each thread that asks it, for ever. Two for each disk
 * leave two for everything else.
 */
const slots = 2;
/** Longer than a healthy disk takes for anything but removing huge files, in milliseconds. */
const defaultPatienceMs = 10_000;

/**
 * The way to one disk. Few questions are outstanding at a time, and a caller waits only so long for the answer. While as many
 * questions as may be outstanding are overdue, one of them late, further ones are refused at once; as soon as one is answered, the
 * disk counts again.
 */
export class DiskGate {
  readonly #mount: string;
  readonly #patienceMs: number;
  readonly #outstanding = new Set<Question>();
  #waiting: Waiting[] = [];
  #taken = 0;

  constructor(mount: string, patienceMs: number = defaultPatienceMs) {
    this.#mount = mount;
    this.#patienceMs = patienceMs;
  }

  /** For how many milliseconds the oldest late question has been waiting; null: the disk answers. */
  get silentMs(): number | null {
    const late = [...this.#outstanding].filter(({ isLate }) => isLate);
    return late.length === 0 ? null : performance.now() - Math.min(...late.map(({ sinceMs }) => sinceMs));
  }

  /**
   * Asks the disk one thing: a single call that holds one thread. Rejects with what the call rejects with.
   * @throws DiskSilentError if the answer takes too long, or the disk is known not to answer
   */
  async run<T>(call: () => Promise<T>, { patienceMs = this.#patienceMs, undo }: Asking<T> = {}): Promise<T> {
    await this.#turn();
    const question: Question = { sinceMs: performance.now(), isOverdue: false, isLate: false };
    this.#outstanding.add(question);
    const tooLate = Promise.withResolvers<never>();
    const note = (what: Partial<Question>) => {
      Object.assign(question, what);
      if (this.#isShut) this.#refuseAll();
    };
    const overdue = setTimeout(() => note({ isOverdue: true }), this.#patienceMs);
    const late = setTimeout(() => {
      tooLate.reject(new DiskSilentError(this.#mount));
      note({ isOverdue: true, isLate: true });
    }, patienceMs);
    const answer = call().finally(() => {
      clearTimeout(overdue);
      clearTimeout(late);
      this.#outstanding.delete(question);
      this.#leave();
    });
    answer.then(
      (brought) => question.isLate && undo?.(brought),
      // The caller has its reason already.
      () => {},
    );
    return await Promise.race([answer, tooLate.promise]);
  }

  /** Does what must happen at some time, such as closing a file, however long the disk is silent. How it ends concerns no one. */
  eventually(work: () => Promise<void>): void {
    const leave = () => this.#leave();
    const begin = () => void work().then(leave, leave);
    if (this.#taken < slots) {
      this.#taken += 1;
      begin();
    } else this.#waiting.push({ begin, refuse: null });
  }

  get #isShut(): boolean {
    const all = [...this.#outstanding];
    return all.length >= slots && all.every(({ isOverdue }) => isOverdue) && all.some(({ isLate }) => isLate);
  }

  #turn(): Promise<void> {
    if (this.#isShut) return Promise.reject(new DiskSilentError(this.#mount));
    if (this.#taken < slots) {
      this.#taken += 1;
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ begin: resolve, refuse: reject });
    return promise;
  }

  /** The caller that has waited longest gets the slot. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next.begin();
  }

  #refuseAll(): void {
    const refused = this.#waiting.filter(({ refuse }) => refuse !== null);
    this.#waiting = this.#waiting.filter(({ refuse }) => refuse === null);
    for (const { refuse } of refused) refuse?.(new DiskSilentError(this.#mount));
  }
}

const gates = new Map<string, DiskGate>();

/** The one gate of the disk on which a path lies. */
export function gateOf(path: string): DiskGate {
  const mount = mountOf(path, mounts())?.path ?? '/';
  const gate = gates.get(mount) ?? new DiskGate(mount);
  gates.set(mount, gate);
  return gate;
}
