/** Keeps a program's last lines, for error messages. */
export class LineRing {
  readonly #capacity: number;
  #lines: string[] = [];

  constructor(capacity = 20) {
    this.#capacity = capacity;
  }

  push(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > this.#capacity) this.#lines.shift();
  }

  /** Oldest first. */
  snapshot(): readonly string[] {
    return [...this.#lines];
  }

  get last(): string | undefined {
    return this.#lines.at(-1);
  }

  clear(): void {
    this.#lines = [];
  }
}
