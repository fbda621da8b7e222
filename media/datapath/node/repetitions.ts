const MOST = 1024;

/** When packets were last sent again, by the viewer's number; the oldest are forgotten. */
export class Repetitions {
  readonly #atMs = new Map<number, number>();

  has(viewer: number): boolean {
    return this.#atMs.has(viewer);
  }

  /** Whether a packet was sent again within the last `withinMs`. */
  isRecent(viewer: number, withinMs: number, nowMs: number): boolean {
    return nowMs - (this.#atMs.get(viewer) ?? Number.NEGATIVE_INFINITY) < withinMs;
  }

  note(viewer: number, nowMs: number): void {
    this.#atMs.delete(viewer);
    this.#atMs.set(viewer, nowMs);
    if (this.#atMs.size <= MOST) return;
    const oldest = this.#atMs.keys().next().value;
    if (oldest !== undefined) this.#atMs.delete(oldest);
  }

  clear(): void {
    this.#atMs.clear();
  }
}
