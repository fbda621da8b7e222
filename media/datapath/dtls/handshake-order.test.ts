import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageOf, splitMessages, splitRecords } from './dtls-records.ts';
import { HandshakeOrder } from './handshake-order.ts';

function record(sequence: number, offset: number, length: number, total: number): Buffer {
  const bytes = Buffer.alloc(25 + length, sequence);
  bytes.fill(0, 0, 25);
  bytes.writeUInt8(22, 0);
  bytes.writeUInt16BE(0xfefd, 1);
  bytes.writeUInt16BE(12 + length, 11);
  bytes.writeUIntBE(total, 14, 3);
  bytes.writeUInt16BE(sequence, 17);
  bytes.writeUIntBE(offset, 19, 3);
  bytes.writeUIntBE(length, 22, 3);
  return bytes;
}

/** Six messages, every other one in three fragments. */
const flight = Array.from({ length: 6 }, (_, i) =>
  i % 2 === 0 ? [record(i, 0, 30, 30)] : [record(i, 0, 10, 30), record(i, 10, 10, 30), record(i, 20, 10, 30)],
).flat();

describe('HandshakeOrder', () => {
  it('delivers each message once and in order, however often and in whatever order they arrive', () => {
    const arrivals = fc
      .array(fc.constantFrom(...flight), { maxLength: 30 })
      .chain((repeated) =>
        fc.shuffledSubarray([...flight, ...repeated], { minLength: flight.length + repeated.length }),
      );
    fc.assert(
      fc.property(arrivals, (records) => {
        const order = new HandshakeOrder();
        expect(records.flatMap((one) => order.take(one))).toEqual(flight);
        expect(order.next).toBe(6);
      }),
    );
  });

  it('never throws on garbage', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 20 }), (datagrams) => {
        const order = new HandshakeOrder();
        for (const bytes of datagrams) {
          const prefixed = Buffer.concat([
            Buffer.from('16fefd00000000000000000030', 'hex'),
            Buffer.from(bytes),
          ]);
          for (const one of splitRecords(prefixed))
            for (const message of splitMessages(one)) order.take(message);
        }
      }),
    );
  });
});

describe('DTLS records', () => {
  it('splits the records of a datagram and the messages of a record', () => {
    const packed = Buffer.concat([record(0, 0, 5, 5), record(1, 0, 6, 6)]);
    expect(splitRecords(packed)).toHaveLength(2);
    const both = Buffer.concat([packed.subarray(0, 30), packed.subarray(30 + 13)]);
    both.writeUInt16BE(both.length - 13, 11);
    expect(splitMessages(both).map((one) => messageOf(one).sequence)).toEqual([0, 1]);
  });
});
