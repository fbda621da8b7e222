/** The log of a run on standard output, and the content of the table at its end. */
export class Report {
  readonly #write: (text: string) => void;
  readonly #startedAtMs = performance.now();
  readonly #counts = new Map<string, Map<string, number>>();
  readonly wrong: string[] = [];

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  say(text: string): void {
    const seconds = ((performance.now() - this.#startedAtMs) / 1000).toFixed(1).padStart(7);
    this.#write(`${seconds} s  ${text}\n`);
  }

  /** Adds to a cell of the table. */
  count(what: string, outcome: string, by = 1): void {
    const outcomes = this.#counts.get(what) ?? new Map<string, number>();
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + by);
    this.#counts.set(what, outcomes);
  }

  /** Something that must not happen. */
  fault(text: string): void {
    this.wrong.push(text);
    this.say(`WRONG: ${text}`);
  }

  /** What was done and what was found. */
  table(): string {
    const rows = [...this.#counts].sort(([a], [b]) => a.localeCompare(b));
    const width = Math.max(0, ...rows.map(([what]) => what.length));
    const lines = rows.map(([what, outcomes]) => {
      const cells = [...outcomes]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([word, count]) => `${count} ${word}`);
      return `${what.padEnd(width)}  ${cells.join(', ')}`;
    });
    const verdict =
      this.wrong.length === 0
        ? ['Nothing is wrong.']
        : [`${this.wrong.length} things are wrong:`, ...this.wrong.map((text) => `- ${text}`)];
    return `${[...lines, '', ...verdict].join('\n')}\n`;
  }
}
