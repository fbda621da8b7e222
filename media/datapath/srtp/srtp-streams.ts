/** What an SRTP receiver remembers of each stream of its peer: which packets arrived (RFC 3711, section 3.2.3). */
import { extendSequence } from '../../rtp/sequence.ts';
import { ReplayWindow } from './replay-window.ts';

/** More streams than any peer sends at once; limits what a peer can make us remember. */
const MAX_STREAMS = 32;
/** For streams that were pushed out by newer ones the highest index is kept, so that their packets cannot be replayed. */
const MAX_RETIRED = 1024;
/** This many packets in a row have to fail before the count of wraps is doubted. */
const DOUBT_AFTER = 3;
const WRAP = 0x10000;

/** The windows of up to 32 streams, by SSRC. Only authentic packets may open one. */
export class ReplayWindows {
  readonly #size: number;
  readonly #open = new Map<number, ReplayWindow>();
  readonly #retired = new Map<number, number>();
  /** For the next stream: forged packets, which are dropped, cost no window each. */
  #spare: ReplayWindow | null = null;

  constructor(size: number) {
    this.#size = size;
  }

  /** For a stream that is not known yet: one that no one keeps before `keep`. Null if no more can be distinguished. */
  of(ssrc: number): ReplayWindow | null {
    const known = this.#open.get(ssrc);
    if (known !== undefined) return known;
    const highest = this.#retired.get(ssrc);
    if (highest === undefined && this.#retired.size >= MAX_RETIRED) return null;
    if (highest !== undefined) return new ReplayWindow(this.#size, highest);
    this.#spare ??= new ReplayWindow(this.#size);
    return this.#spare;
  }

  /** An authentic packet of the stream arrived. The stream that was quiet for the longest time makes room for a new one. */
  keep(ssrc: number, window: ReplayWindow): void {
    if (window === this.#spare) this.#spare = null;
    const fresh = !this.#open.delete(ssrc);
    this.#open.set(ssrc, window);
    if (!fresh) return;
    this.#retired.delete(ssrc);
    const [oldest] = this.#open;
    if (this.#open.size <= MAX_STREAMS || oldest === undefined) return;
    this.#open.delete(oldest[0]);
    this.#retired.set(oldest[0], oldest[1].highest);
  }
}

/**
 * The indices that a packet may have. The wraps of its sequence number are not in it: they are counted, and that goes wrong
 * where the first packets before a wrap were lost, or more than half a circle later on (RFC 3711, section 3.3.1).
 */
export class IndexGuess {
  #failures = 0;

  candidates(sequence: number, highest: number): number[] {
    if (highest < 0) return [sequence, sequence + WRAP];
    const near = extendSequence(sequence, highest);
    return this.#failures >= DOUBT_AFTER ? [near, near + WRAP] : [near];
  }

  noteSuccess(): void {
    this.#failures = 0;
  }

  noteFailure(): void {
    this.#failures++;
  }
}
