import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplayWindow } from '../srtp/replay-window.ts';
import { PacketRing } from './packet-ring.ts';

const packet = (sequence: number) => ({ sequence, timestamp: 0, marker: false, payload: Buffer.alloc(0) });

describe('PacketRing', () => {
  it('grows with a long group of pictures, within limits, and shrinks afterwards', () => {
    const ring = new PacketRing(16, 128, 10_000);
    const write = (from: number, to: number, keyframe: number, octets: number): void => {
      for (let sequence = from; sequence < to; sequence++) {
        ring.keepFrom(keyframe, sequence);
        ring.put({ ...packet(sequence), payload: Buffer.alloc(octets) });
      }
    };
    write(100, 200, 100, 10);
    expect(ring.tail).toBe(100);
    for (let sequence = 100; sequence < 200; sequence++) expect(ring.get(sequence)?.sequence).toBe(sequence);
    write(200, 300, 100, 10);
    expect(ring.size).toBe(128);
    expect(ring.tail).toBe(172);
    write(300, 320, 300, 10);
    expect(ring.size).toBeLessThan(128);
    expect(ring.get(300)?.sequence).toBe(300);
    const heavy = new PacketRing(16, 128, 10_000);
    for (let sequence = 0; sequence < 200; sequence++) {
      heavy.keepFrom(0, sequence);
      heavy.put({ ...packet(sequence), payload: Buffer.alloc(1000) });
    }
    expect(heavy.size).toBe(16);
  });

  it('holds exactly the newest packets', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1000, max: 1100 }), { minLength: 1, maxLength: 300 }),
        (numbers) => {
          const ring = new PacketRing(32);
          let head = 0;
          const first = numbers[0] ?? 0;
          const written = new Set<number>();
          for (const number of numbers) {
            const fresh = !written.has(number) && number > head - 32 && number >= first;
            expect(ring.put(packet(number))).toBe(fresh);
            if (fresh) written.add(number);
            head = Math.max(head, fresh ? number : head);
          }
          expect(ring.head).toBe(head);
          for (let number = 990; number < 1110; number++) {
            const expected = written.has(number) && number > head - 32;
            expect(ring.get(number) !== null && number >= ring.tail).toBe(expected);
          }
        },
      ),
    );
  });
});

describe('ReplayWindow', () => {
  it('admits each index once unless it is too old', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 300 }), (indices) => {
        const window = new ReplayWindow(64);
        const seen = new Set<number>();
        let highest = -1;
        for (const index of indices) {
          const expected = !seen.has(index) && index > highest - 64;
          expect(window.admits(index)).toBe(expected);
          if (!expected) continue;
          window.accept(index);
          seen.add(index);
          highest = Math.max(highest, index);
        }
      }),
    );
  });
});
