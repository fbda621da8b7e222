import { describe, expect, it } from 'vitest';
import { SourceGuard } from './source-guard.ts';

const packet = (ssrc: number, sequence: number, timestamp = sequence * 3000) => ({
  ssrc,
  sequence: sequence & 0xffff,
  timestamp: timestamp >>> 0,
});

function open() {
  const guard = new SourceGuard<ReturnType<typeof packet>>();
  let nowMs = 0;
  const admit = (one: ReturnType<typeof packet>, afterMs = 10): [number[], boolean] => {
    nowMs += afterMs;
    const { packets, begins } = guard.admit(one, nowMs);
    return [packets.map(({ sequence }) => sequence), begins];
  };
  return { admit };
}

describe('A guarded source', () => {
  it('stays selected despite a stray packet from anywhere', () => {
    const { admit } = open();
    expect(admit(packet(1, 40_000))).toEqual([[40_000], true]);
    expect(admit(packet(1, 40_002))).toEqual([[40_002], false]);
    expect(admit(packet(1, 35_000))).toEqual([[], false]);
    expect(admit(packet(2, 77))).toEqual([[], false]);
    expect(admit(packet(1, 40_001))).toEqual([[40_001], false]);
    expect(admit(packet(1, 35_001))).toEqual([[], false]);
    expect(admit(packet(1, 40_003))).toEqual([[40_003], false]);
  });

  it('may restart under its SSRC without losing its first packets', () => {
    const { admit } = open();
    admit(packet(1, 100));
    expect(admit(packet(1, 30_000))).toEqual([[], false]);
    expect(admit(packet(1, 30_001))).toEqual([[30_000, 30_001], true]);
    expect(admit(packet(1, 30_002))).toEqual([[30_002], false]);
  });

  it('stays on one of several layers that are sent at once', () => {
    const { admit } = open();
    let taken = 0;
    for (let frame = 0; frame < 100; frame++) {
      for (const ssrc of [1, 2, 3]) {
        for (let part = 0; part < 4; part++)
          taken += admit(packet(ssrc, frame * 4 + part, frame * 3000), 1)[0].length;
      }
    }
    expect(taken).toBe(400);
  });

  it('gives way to another that sends while it is mute, with everything that one sent', () => {
    const { admit } = open();
    admit(packet(1, 100));
    expect(admit(packet(2, 7, 0))).toEqual([[], false]);
    expect(admit(packet(2, 8, 0))).toEqual([[], false]);
    expect(admit(packet(2, 9, 3000))).toEqual([[], false]);
    expect(admit(packet(2, 10, 6000))).toEqual([[7, 8, 9, 10], true]);
    expect(admit(packet(1, 101))).toEqual([[], false]);
    expect(admit(packet(2, 11, 6000))).toEqual([[11], false]);
  });

  it('gives way at once after a silence, and continues if it was only silent', () => {
    const { admit } = open();
    admit(packet(1, 100));
    expect(admit(packet(1, 101), 60_000)).toEqual([[101], false]);
    expect(admit(packet(1, 9000), 60_000)).toEqual([[9000], true]);
    expect(admit(packet(2, 5), 1500)).toEqual([[5], true]);
  });
});
