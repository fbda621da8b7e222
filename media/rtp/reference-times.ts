import { middleOfNtp } from './ntp.ts';
import type { ReferenceEcho, ReferenceTime } from './rtcp.ts';

/** One for picture and one for sound are usual. */
const MOST = 4;

/**
 * Remembers the clock readings that receivers report until the next answer (RFC 3611, sections 4.4 and 4.5). A peer that only receives has
 * no other way to learn its round trip.
 */
export class ReferenceTimes {
  readonly #times = new Map<number, { readonly time: ReferenceTime; readonly atMs: number }>();

  /** The newest of each of the peer's receivers counts. */
  note(time: ReferenceTime, nowMs: number): void {
    this.#times.delete(time.ssrc);
    const oldest = this.#times.keys().next().value;
    if (this.#times.size >= MOST && oldest !== undefined) this.#times.delete(oldest);
    this.#times.set(time.ssrc, { time, atMs: nowMs });
  }

  /** What is to be reported about them; each once. */
  take(nowMs: number): ReferenceEcho[] {
    const echoes = [...this.#times.values()].map(({ time: { ssrc, ntp }, atMs }) => ({
      ssrc,
      lastReference: middleOfNtp(ntp),
      delay: Math.min(0xffffffff, Math.max(0, Math.floor(((nowMs - atMs) * 65536) / 1000))),
    }));
    this.#times.clear();
    return echoes;
  }
}
