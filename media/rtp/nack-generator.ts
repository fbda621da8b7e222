/** Limits of requests. */
export interface NackOptions {
  /** Pause before a packet is requested again, in milliseconds. Default 60. */
  readonly retryMs?: number;
  /** Requests per packet. Default 8. */
  readonly maxTries?: number;
  /** Gaps larger than this are not requested: the stream jumped. Default 512. */
  readonly maxGap?: number;
}

/** Nor is more than this at a time: only a new keyframe mends it, and a publisher must not fill the memory with its gaps. */
const MAX_MISSING = 1024;

interface Missing {
  tries: number;
  dueMs: number;
}

/**
 * Decides which missing packets a receiver requests again, and when it gives them up (RFC 4585, section 3.5). One instance per
 * stream.
 */
export class NackGenerator {
  readonly #retryMs: number;
  readonly #maxTries: number;
  readonly #maxGap: number;
  readonly #missing = new Map<number, Missing>();
  #highest: number | null = null;
  #abandoned = 0;

  constructor(options: NackOptions = {}) {
    this.#retryMs = options.retryMs ?? 60;
    this.#maxTries = options.maxTries ?? 8;
    this.#maxGap = options.maxGap ?? 512;
  }

  /**
   * Notes an arrival by extended number. True if it opened a gap, so that requesting packets, or a keyframe, makes sense now.
   */
  arrived(extended: number, nowMs: number): boolean {
    if (this.#highest === null) {
      this.#highest = extended;
      return false;
    }
    if (extended <= this.#highest) {
      this.#missing.delete(extended);
      return false;
    }
    const gap = extended - this.#highest - 1;
    if (gap > this.#maxGap || this.#missing.size + gap > MAX_MISSING) {
      this.#abandoned += this.#missing.size + gap;
      this.#missing.clear();
    } else {
      for (let lost = this.#highest + 1; lost < extended; lost++) {
        this.#missing.set(lost, { tries: 0, dueMs: nowMs });
      }
    }
    this.#highest = extended;
    return gap > 0;
  }

  /** Extended numbers to request now, ascending. Each is returned at most `maxTries` times. */
  due(nowMs: number): number[] {
    const due: number[] = [];
    for (const [extended, missing] of this.#missing) {
      if (missing.dueMs > nowMs) continue;
      if (missing.tries >= this.#maxTries) {
        this.#missing.delete(extended);
        this.#abandoned++;
        continue;
      }
      missing.tries++;
      missing.dueMs = nowMs + this.#retryMs;
      due.push(extended);
    }
    return due.sort((a, b) => a - b);
  }

  get pending(): number {
    return this.#missing.size;
  }

  /** Packets given up so far; it grows by a picture that cannot be repaired. */
  get abandoned(): number {
    return this.#abandoned;
  }
}
