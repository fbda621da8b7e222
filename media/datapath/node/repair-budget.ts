/** Part of the sent octets that may be sent once more. */
const SHARE = 0.3;
/** After an outage, lost packets are repaired up to this much of the stream. */
const OUTAGE_S = 0.5;
const LEAST_OCTETS = 32 * 1024;
/** Each sent packet may be requested this often; before the first ones, and after an outage, there is a reserve. */
const QUESTIONS_PER_PACKET = 4;
const LEAST_QUESTIONS = 2048;

/**
 * How much may be sent again to one viewer: a share of what was sent; otherwise repairs would overload a full link, lose more
 * and be requested again. Loss up to about a fifth is repaired; beyond that only less picture helps.
 */
export class RepairBudget {
  #credit = LEAST_OCTETS;
  /** Numbers that may be looked up. */
  #questions = LEAST_QUESTIONS;
  /** Sent octets, older ones counting less and less: at a steady rate those of one second. */
  #recent = 0;
  #atMs = 0;

  /** Something was sent for the first time. */
  earn(octets: number, nowMs: number): void {
    this.#recent = this.#recent * Math.exp((this.#atMs - nowMs) / 1000) + octets;
    this.#atMs = nowMs;
    this.#questions = Math.min(LEAST_QUESTIONS, this.#questions + QUESTIONS_PER_PACKET);
    const most = Math.max(LEAST_OCTETS, this.#recent * OUTAGE_S);
    this.#credit = Math.min(most, this.#credit + octets * SHARE);
  }

  /** How many of `wanted` numbers may be looked up now: a peer that requests more than was ever sent does not want repair. */
  answer(wanted: number): number {
    const granted = Math.min(wanted, Math.floor(this.#questions));
    this.#questions -= granted;
    return granted;
  }

  /** Takes the cost of a repetition; false if not enough is left. */
  spend(octets: number): boolean {
    if (octets > this.#credit) return false;
    this.#credit -= octets;
    return true;
  }

  /** The same for what is of use and not needed: takes nothing from a reserve for more losses. */
  spendSpare(octets: number): boolean {
    return this.#credit - octets >= LEAST_OCTETS / 2 && this.spend(octets);
  }
}
