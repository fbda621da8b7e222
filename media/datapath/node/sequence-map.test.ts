import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SequenceMap } from './sequence-map.ts';

const step = fc.oneof(
  fc.record({ kind: fc.constant('send' as const), count: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant('skip' as const), count: fc.integer({ min: 1, max: 500 }) }),
  fc.record({ kind: fc.constant('extra' as const), count: fc.constant(1) }),
  fc.record({ kind: fc.constant('lose' as const), count: fc.integer({ min: 1, max: 5 }) }),
);

describe('SequenceMap', () => {
  it('never gives two packets one number, and finds each again', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
        const map = new SequenceMap(500);
        const sent = new Map<number, number | 'extra'>();
        let track = 9000;
        map.continueAt(track);
        for (const { kind, count } of steps) {
          if (kind === 'extra') {
            sent.set(map.takeExtra(), 'extra');
            map.continueAt(track);
          } else if (kind === 'send') {
            for (let i = 0; i < count; i++, track++) {
              const viewer = map.toViewer(track);
              if (viewer === null) throw new Error('a new packet has a number');
              expect(sent.has(viewer)).toBe(false);
              sent.set(viewer, track);
            }
          } else {
            track += count;
            if (kind === 'skip') map.continueAt(track);
          }
        }
        for (const [viewer, packet] of sent) {
          expect(map.toTrack(viewer)).toBe(packet === 'extra' ? null : packet);
        }
        expect(map.toTrack(map.next)).toBeNull();
      }),
    );
  });

  it('leaves no gap for packets left out on purpose, but one for lost packets', () => {
    const map = new SequenceMap(10);
    map.continueAt(100);
    expect(map.toViewer(100)).toBe(10);
    expect(map.toViewer(102)).toBe(12);
    expect(map.toViewer(101)).toBe(11);
    map.continueAt(200);
    expect(map.toViewer(200)).toBe(13);
    expect(map.toViewer(199)).toBeNull();
    expect(map.toTrack(12)).toBe(102);
  });
});
