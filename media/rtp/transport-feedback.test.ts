import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtcpHeader, TransportWideCC } from 'werift';
import { TransportArrivals } from './transport-arrivals.ts';
import { parseTransportFeedback } from './transport-feedback.fake.ts';
import { buildTransportFeedback, type TransportFeedback } from './transport-feedback.ts';

const status = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 255 }) },
  { weight: 1, arbitrary: fc.integer({ min: -0x8000, max: 0x7fff }) },
);
/** Runs of the same, too, of which chunks of the other kind are made. */
const statuses = fc
  .array(fc.tuple(status, fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 9000 }))), {
    minLength: 1,
    maxLength: 40,
  })
  .map((runs) => runs.flatMap(([one, times]) => Array.from({ length: times }, () => one)).slice(0, 20_000));
const feedbacks: fc.Arbitrary<TransportFeedback> = fc
  .tuple(statuses, fc.nat(0xffffffff), fc.nat(0xffff), fc.nat(0xffffff), fc.nat(0xff))
  .map(([differences, ssrc, first, reference, count]) => {
    let time = 0;
    const arrivals = differences.map((difference) => {
      time += difference ?? 0;
      return difference === null ? null : time;
    });
    return { senderSsrc: ssrc, mediaSsrc: 2, count, first, reference, arrivals };
  });

/** werift 0.25; it gets what follows the header, without the padding. */
function readByWerift(packet: Buffer): TransportWideCC {
  const padding = (packet[0] ?? 0) & 0x20 ? packet.readUInt8(packet.length - 1) : 0;
  return TransportWideCC.deSerialize(
    packet.subarray(4, packet.length - padding),
    RtcpHeader.deSerialize(packet),
  );
}

describe('Transport-wide feedback', () => {
  it('comes out as it went in, in whole words', () => {
    fc.assert(
      fc.property(feedbacks, (feedback) => {
        const packet = buildTransportFeedback(feedback);
        expect(packet.length % 4).toBe(0);
        expect(packet.readUInt16BE(2)).toBe(packet.length / 4 - 1);
        expect(parseTransportFeedback(packet)).toEqual(feedback);
      }),
      { numRuns: 60 },
    );
  });

  it('is understood by another implementation', () => {
    fc.assert(
      fc.property(feedbacks, (feedback) => {
        const packet = buildTransportFeedback({ ...feedback, arrivals: feedback.arrivals.slice(0, 300) });
        const read = readByWerift(packet);
        const times = feedback.arrivals.slice(0, 300);
        expect(read.baseSequenceNumber).toBe(feedback.first);
        expect(read.packetStatusCount).toBe(times.length);
        expect(read.referenceTime).toBe(feedback.reference);
        let time = 0;
        const received = read.recvDeltas.map(({ delta }) => {
          // In microseconds.
          time += delta / 250;
          return time;
        });
        expect(received).toEqual(times.filter((one) => one !== null));
      }),
    );
  });

  it('is not read from garbage, which throws nothing', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        (bytes) => void parseTransportFeedback(Buffer.from(bytes)),
      ),
    );
    const endless = Buffer.alloc(1400);
    endless.writeUInt16BE(0xffff, 14);
    expect(parseTransportFeedback(endless)).toBeNull();
  });
});

describe('Arrivals of a connection', () => {
  it('are reported once, each at its time, whatever the order and wherever the numbers wrap', () => {
    const step = fc.record({
      number: fc.integer({ min: -40, max: 200 }),
      afterMs: fc.integer({ min: 0, max: 30 }),
      take: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.nat(0xffff),
        fc.array(step, { minLength: 1, maxLength: 100, size: 'max' }),
        (start, steps) => {
          const arrivals = new TransportArrivals();
          const expected = new Map<number, number>();
          const reported = new Map<number, number>();
          let nowMs = 5000;
          let counted = 0;
          const take = () => {
            for (const { first, reference, arrivals: times, count } of arrivals.take(nowMs)) {
              expect(count).toBe(counted++ & 0xff);
              times.forEach((ticks, i) => {
                if (ticks !== null) reported.set((first + i) & 0xffff, reference * 64 + ticks / 4);
              });
            }
          };
          // The first one says where the others belong.
          for (const { number, afterMs, take: due } of [{ number: 0, afterMs: 0, take: false }, ...steps]) {
            nowMs += afterMs + 0.25;
            const sent = (start + number) & 0xffff;
            // SRTP lets none through that came long ago.
            if (nowMs - (expected.get(sent) ?? nowMs) > 400) continue;
            arrivals.arrived(sent, nowMs);
            if (!expected.has(sent)) expected.set(sent, nowMs);
            if (due) take();
          }
          take();
          expect(reported).toEqual(expected);
          expect(arrivals.take(nowMs)).toEqual([]);
        },
      ),
    );
  });

  it('name what is missing between them', () => {
    const arrivals = new TransportArrivals();
    for (const number of [65_534, 1, 65_535]) arrivals.arrived(number, 1000);
    const ticks = (1000 % 64) * 4;
    expect(arrivals.take(1000)).toEqual([
      { count: 0, first: 65_534, reference: 15, arrivals: [ticks, ticks, null, ticks] },
    ]);
    // Late, together with what was said about those after it.
    arrivals.arrived(0, 1010);
    expect(arrivals.take(1010)[0]).toEqual({ count: 1, first: 0, reference: 15, arrivals: [200, 160] });
  });

  it('fit into datagrams, and a jump of the numbers costs no more than a second of packets', () => {
    const arrivals = new TransportArrivals();
    arrivals.arrived(0, 1000);
    arrivals.take(1000);
    arrivals.arrived(30_000, 1010);
    const messages = arrivals.take(1010);
    expect(messages.length).toBeLessThanOrEqual(11);
    for (const message of messages) {
      const packet = buildTransportFeedback({ senderSsrc: 1, mediaSsrc: 2, ...message });
      expect(packet.length).toBeLessThan(1200);
    }
  });

  it('come in two messages if they are further apart than a message can say', () => {
    const arrivals = new TransportArrivals();
    arrivals.arrived(7, 1000);
    arrivals.arrived(8, 10_000);
    expect(arrivals.take(10_000)).toMatchObject([{ first: 7 }, { first: 8, reference: 156 }]);
  });
});
