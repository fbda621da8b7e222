/** Runs one check after the other and says how each went. The first that fails ends the run: the later ones build on it. */
export class Report {
  #passed = 0;
  readonly #startedAt = performance.now();

  async check(what: string, run: () => Promise<void> | void): Promise<void> {
    const startedAt = performance.now();
    try {
      await run();
    } catch (error) {
      process.stdout.write(`not ok - ${what}\n`);
      throw error;
    }
    this.#passed += 1;
    process.stdout.write(`ok - ${what} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)\n`);
  }

  end(): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(0);
    process.stdout.write(`${this.#passed} passed, 0 failed\nin ${seconds} s\n`);
  }
}

/** Throws with `otherwise` unless the condition holds. */
export function must(condition: unknown, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise);
}

/** Until the look gives something; the error tells what the last look said. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  timeoutMs = 300_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await look();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error; // not there yet
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  throw new Error(`${what}: not within ${timeoutMs} ms; last: ${String(last)}`);
}
