/** What fits the default socket buffers of clients, at once and every 4 ms: about 77 Mbit/s. More would take all of JavaScript's thread. */
const BURST_PACKETS = 32;
const USUAL_PER_MS = 8;

/** How fast one viewer gets what it missed. Times are of one clock, in milliseconds. */
export class SinkPace {
  #perMs = USUAL_PER_MS;
  #allowance = 0;
  #pumpedMs = 0;

  /** How many packets it may get now. */
  portion(nowMs: number): number {
    this.#allowance = Math.min(BURST_PACKETS, this.#allowance + (nowMs - this.#pumpedMs) * this.#perMs);
    this.#pumpedMs = nowMs;
    return Math.floor(this.#allowance);
  }

  sent(packets: number): void {
    this.#allowance -= packets;
  }

  /** It lost too much of it: the next time it is sent at a quarter of the pace. */
  giveUp(): void {
    this.#perMs = USUAL_PER_MS / 4;
  }

  /** It has all of it. */
  end(): void {
    this.#perMs = USUAL_PER_MS;
  }
}
