import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChronyReplyError, chronyFloat, parseTracking, trackingRequest } from './chrony-protocol.ts';
import { clockReading } from './clock.ts';

/**
 * Replies of chronyd 4.3 to `trackingRequest(7)`: behind its server by a quarter of a second, without a server, and as `local
 * stratum 10`.
 */
const recorded = {
  behind:
    '060200000021000500000000000000000000000700000000000000007f0000017f0000010000000000000000000000000001000000020000' +
    '000000006b02e62c21276f3cfeff7345ead7f98ceaa8da0c0b26633b06fc9b990efb498aeca07f22eadd388e0481bd92',
  unsynchronised:
    '060200000021000500000000000000000000000700000000000000000000000000000000000000000000000000000000000000000000' +
    '0003000000000000000000000000000000000000000000000000000000000000000000000000048000000480000000000000',
  local:
    '060200000021000500000000000000000000000700000000000000007f7f01010000000000000000000000000000000000000000000a' +
    '0000000000006b02e6962682c725000000000000000000000000000000000000000000000000000000000000000000000000',
};

const reply = (name: keyof typeof recorded) => Buffer.from(recorded[name], 'hex');

describe('parseTracking', () => {
  test('reads the same as chronyc tracking', () => {
    const tracking = parseTracking(reply('behind'), 7);
    expect(tracking).toMatchObject({ source: '127.0.0.1', stratum: 2, leap: 0 });
    expect(tracking.correctionS).toBeCloseTo(0.249463, 6);
    expect(tracking.rmsOffsetS).toBeCloseTo(0.000161, 6);
    expect(tracking.rootDelayS).toBeCloseTo(0.000306, 6);
  });

  test('rejects another version, command, sequence, status or length, and never throws anything else', () => {
    const broken = (at: number, value: number) => {
      const bytes = reply('behind');
      bytes.writeUInt8(value, at);
      return bytes;
    };
    for (const at of [0, 1, 5, 7, 9, 19]) {
      expect(() => parseTracking(broken(at, 0x55), 7)).toThrow(ChronyReplyError);
    }
    expect(() => parseTracking(reply('behind'), 8)).toThrow(ChronyReplyError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, plausible) => {
        const datagram = Buffer.from(bytes);
        if (plausible) reply('behind').copy(datagram, 0, 0, 20);
        try {
          parseTracking(datagram, 7);
        } catch (error) {
          expect(error).toBeInstanceOf(ChronyReplyError);
        }
      }),
    );
  });

  test('a request is as long as its reply', () => {
    expect(trackingRequest(7)).toHaveLength(reply('behind').length);
  });
});

describe('chronyFloat', () => {
  test('decodes signs of exponent and coefficient', () => {
    expect(chronyFloat(0)).toBe(0);
    // 1 and -1 as chrony writes them: a coefficient of 2^23 and the exponent 2.
    expect(chronyFloat(0x04800000)).toBe(1);
    expect(chronyFloat(0x05800000)).toBe(-1);
  });
});

describe('clockReading', () => {
  test('a slow clock has a negative offset', () => {
    const reading = clockReading(parseTracking(reply('behind'), 7));
    expect(reading).toMatchObject({ synced: true, source: '127.0.0.1' });
    expect(reading.offsetMs).toBeCloseTo(-249.463, 2);
    expect(reading.uncertaintyMs).toBeCloseTo(0.364, 2);
  });

  test('a clock that follows nobody, or only itself, has no known offset', () => {
    const nothing = { synced: false, offsetMs: null, uncertaintyMs: null, source: null };
    expect(clockReading(parseTracking(reply('unsynchronised'), 7))).toEqual(nothing);
    expect(clockReading(parseTracking(reply('local'), 7))).toEqual(nothing);
  });
});
