/** Limits of {@link SignInLimiter}. */
export interface SignInLimits {
  /** Tries with a wrong password from one address within the window that get a normal answer. */
  readonly tries: number;
  readonly windowMs: number;
}

const usual: SignInLimits = { tries: 30, windowMs: 60_000 };
const mostAddresses = 1024;

/**
 * Counts tries with wrong passwords, which players repeat endlessly. A caller that tries too often has to wait; a right
 * password opens at any time, so that no one is locked out by a neighbour behind the same address.
 */
export class SignInLimiter {
  readonly #limits: SignInLimits;
  readonly #now: () => number;
  readonly #failures = new Map<string, { sinceMs: number; count: number }>();

  constructor(limits: SignInLimits = usual, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Counts one more failed try. Returns the seconds to wait if there were too many, otherwise null. */
  failed(address: string): number | null {
    const { tries, windowMs } = this.#limits;
    const nowMs = this.#now();
    const before = this.#failures.get(address);
    const entry =
      before === undefined || nowMs - before.sinceMs > windowMs ? { sinceMs: nowMs, count: 0 } : before;
    entry.count += 1;
    this.#failures.delete(address);
    this.#failures.set(address, entry);
    if (this.#failures.size > mostAddresses) this.#forgetOldest();
    return entry.count <= tries ? null : Math.max(1, Math.ceil((entry.sinceMs + windowMs - nowMs) / 1000));
  }

  #forgetOldest(): void {
    for (const address of this.#failures.keys()) {
      this.#failures.delete(address);
      return;
    }
  }
}
