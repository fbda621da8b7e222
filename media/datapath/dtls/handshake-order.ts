import { messageOf } from './dtls-records.ts';

/** More messages and fragments than any peer sends. */
const MAX_PENDING = 64;

/**
 * Brings plain handshake messages into order and passes each on once (RFC 6347, section 4.2.2). werift processes messages in
 * any order, and derives other keys from a message that is repeated.
 */
export class HandshakeOrder {
  readonly #pending = new Map<string, Buffer>();
  #sequence = 0;
  #offset = 0;

  /** Sequence number of the message that comes next. */
  get next(): number {
    return this.#sequence;
  }

  /** Takes a record of one message or fragment; returns those, in order, that come next. */
  take(record: Buffer): Buffer[] {
    const { sequence, offset } = messageOf(record);
    const late = sequence < this.#sequence || (sequence === this.#sequence && offset < this.#offset);
    if (late || this.#pending.size >= MAX_PENDING) return [];
    this.#pending.set(`${sequence}/${offset}`, record);
    const ready: Buffer[] = [];
    for (let record = this.#pull(); record !== undefined; record = this.#pull()) ready.push(record);
    return ready;
  }

  #pull(): Buffer | undefined {
    const key = `${this.#sequence}/${this.#offset}`;
    const record = this.#pending.get(key);
    if (record === undefined) return undefined;
    this.#pending.delete(key);
    const { offset, length, total } = messageOf(record);
    this.#offset = offset + length;
    if (this.#offset >= total) {
      this.#sequence++;
      this.#offset = 0;
    } else if (length === 0) {
      return undefined;
    }
    return record;
  }
}
