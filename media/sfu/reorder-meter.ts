const DECAY = 0.98;
const CERTAIN = 5;
const OVER = 1;

/** Distinguishes streams with B-frames, whose pictures are sent in another order than they are shown. */
export class ReorderMeter {
  #score = 0;
  #reorders = false;

  /** A frame began; `back` if it is shown before one that was sent earlier. */
  note(back: boolean): void {
    this.#score = this.#score * DECAY + (back ? 1 : 0);
    if (this.#score > CERTAIN) this.#reorders = true;
    if (this.#score < OVER) this.#reorders = false;
  }

  get reorders(): boolean {
    return this.#reorders;
  }
}
