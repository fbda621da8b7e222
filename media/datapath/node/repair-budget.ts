/**
 * How much may be sent again to one viewer: a share of what was sent, or repairs would swamp a link that is full, lose more
 * and be asked for again. Loss up to about a fifth is mended; beyond, only less picture helps.
 */

/** Part of the octets sent that may be sent once more. */
const SHARE = 0.3;
/** What an outage swallows is mended up to this much of the stream. */
const OUTAGE_S = 0.5;
const LEAST_OCTETS = 32 * 1024;
/** Each packet sent may be asked for this often; before the first ones, and after an outage, there is something in hand. */
const QUESTIONS_PER_PACKET = 4;
const LEAST_QUESTIONS = 2048;

export class RepairBudget {
  #credit = LEAST_OCTETS;
  /** Numbers that may be looked up. */
  #questions = LEAST_QUESTIONS;
  /** Octets sent, older ones counting ever less: at a steady rate those of one second. */
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

  /** How many of `wanted` numbers may be looked up now: whoever asks for more than ever was sent wants no repair. */
  answer(wanted: number): number {
    const granted = Math.min(wanted, Math.floor(this.#questions));
    this.#questions -= granted;
    return granted;
  }

  /** Takes what a repetition costs; false where there is not enough left. */
  spend(octets: number): boolean {
    if (octets > this.#credit) return false;
    this.#credit -= octets;
    return true;
  }
}
