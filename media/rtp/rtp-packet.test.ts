import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildRtp, isRtcp, parseRtp } from './rtp-packet.ts';

const packet = fc.record({
  marker: fc.boolean(),
  payloadType: fc.integer({ min: 0, max: 127 }),
  sequence: fc.integer({ min: 0, max: 0xffff }),
  timestamp: fc.integer({ min: 0, max: 0xffffffff }),
  ssrc: fc.integer({ min: 0, max: 0xffffffff }),
  payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
});

describe('RTP packets', () => {
  it('survive a round trip', () => {
    fc.assert(fc.property(packet, (value) => void expect(parseRtp(buildRtp(value))).toEqual(value)));
  });

  it('never throw on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        parseRtp(Buffer.from(bytes));
        isRtcp(Buffer.from(bytes));
      }),
    );
  });

  it('lose contributing sources, extension and padding', () => {
    const extended = Buffer.concat([
      Buffer.from('b260000100000002000000030000000400000005', 'hex'),
      Buffer.from('bede0001aabbccdd', 'hex'),
      Buffer.from('payload'),
      Buffer.from([0, 0, 3]),
    ]);
    expect(parseRtp(extended)?.payload.toString()).toBe('payload');
  });

  it('are rejected if they have more padding than payload', () => {
    const bad = buildRtp({
      marker: false,
      payloadType: 96,
      sequence: 1,
      timestamp: 2,
      ssrc: 3,
      payload: Buffer.from([9]),
    });
    bad.writeUInt8(0xa0, 0);
    expect(parseRtp(bad)).toBeNull();
  });
});
