/** Neither a large picture nor a join may overrun the buffers on the path: a burst of this many packets, then about 77 Mbit/s. */
const BURST_PACKETS = 48;
const BURST_MS = 4;
const USUAL_PER_MS = 8;
/** About 10 Mbit/s, if the viewer loses some of it. */
const LEAST_PER_MS = 1;
/** A long group of pictures would arrive so slowly that its viewer sees it race: the rate rises to this until something is lost. */
const MOST_PER_MS = 24;
const SPEED_UP = 1.5;
const SPEED_UP_PAUSE_MS = 20;
const SLOWER_PAUSE_MS = 50;
const FASTER_AFTER_MS = 500;
/** After a loss the rate does not rise for this long. */
const CAREFUL_MS = 10_000;

/** How fast one viewer gets what it missed. Times are of one clock, in milliseconds. */
export class SinkPace {
  #perMs = USUAL_PER_MS;
  #allowance = 0;
  #pumpedMs = 0;
  #changedMs = 0;
  #slowedMs = Number.NEGATIVE_INFINITY;

  /** It starts to catch up. */
  begin(nowMs: number): void {
    this.#changedMs = nowMs;
  }

  /** How many packets it may get now. */
  portion(nowMs: number): number {
    if (nowMs - this.#slowedMs >= CAREFUL_MS && nowMs - this.#changedMs >= SPEED_UP_PAUSE_MS) {
      this.#changedMs = nowMs;
      this.#perMs = Math.min(MOST_PER_MS, this.#perMs * SPEED_UP);
    }
    const most = Math.max(BURST_PACKETS, this.#perMs * BURST_MS);
    this.#allowance = Math.min(most, this.#allowance + (nowMs - this.#pumpedMs) * this.#perMs);
    this.#pumpedMs = nowMs;
    return Math.floor(this.#allowance);
  }

  sent(packets: number): void {
    this.#allowance -= packets;
  }

  /** Loss during catching up means that it was sent too fast. */
  lost(nowMs: number): void {
    if (nowMs - this.#slowedMs < SLOWER_PAUSE_MS) return;
    this.#slowedMs = nowMs;
    this.#perMs = Math.max(LEAST_PER_MS, this.#perMs / 2);
  }

  /** Too much was lost: what comes next is slower still. */
  giveUp(): void {
    this.#perMs = Math.max(LEAST_PER_MS, Math.min(this.#perMs, USUAL_PER_MS) / 4);
  }

  /** Called a few times a second: what made it slow is over. */
  recover(nowMs: number): void {
    if (nowMs - this.#slowedMs <= FASTER_AFTER_MS) return;
    this.#perMs = Math.max(this.#perMs, Math.min(USUAL_PER_MS, this.#perMs + 1));
  }

  /** It has caught up. */
  end(): void {
    this.#perMs = Math.min(this.#perMs, USUAL_PER_MS);
  }
}
