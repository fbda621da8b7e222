import type { DestinationStream } from 'pino';

/** Hands each line of the log on, and keeps the latest for the page. */
export class LogRing implements DestinationStream {
  private readonly next: DestinationStream;
  private readonly capacity: number;
  private lines: string[] = [];

  constructor(next: DestinationStream, capacity = 1000) {
    this.next = next;
    this.capacity = capacity;
  }

  write(line: string): void {
    this.next.write(line);
    this.lines.push(line.trimEnd());
    // Twice the room, so that shortening is rare.
    if (this.lines.length >= 2 * this.capacity) this.lines = this.lines.slice(-this.capacity);
  }

  /** The latest lines, oldest first. */
  latest(count: number): readonly string[] {
    return this.lines.slice(-Math.max(1, Math.min(count, this.capacity)));
  }
}
