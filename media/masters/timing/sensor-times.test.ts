import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SensorTick } from '../../capture/sensor-clock.ts';
import { type ArrivedFrame, deliveredFrames, matchFrames } from './sensor-times.ts';

const epochMs = 1_795_000_000_000;

type WallMs = (timeMs: number, number: number) => number;

/** Ticks as reported by a clock that checks twice a second. */
function ticksOf(timesMs: readonly number[], wallMs: WallMs, pipeline = '1'): SensorTick[] {
  return timesMs.map((timeMs, number) => {
    const next = timesMs[number + 1];
    const looked = next === undefined || Math.floor(timeMs / 500) !== Math.floor(next / 500);
    return { timeMs, deliveredAtMs: looked ? wallMs(timeMs, number) : null, number, pipeline };
  });
}

/** The frame as the capture pipeline stamps it. */
function arrivedAt(ms: number, number: number): ArrivedFrame {
  return { atS: ms / 1e3, pts: Math.floor((ms * 90) / 128) * 128 + (number % 128) };
}

describe('the times of the sensor', () => {
  const recording = fc.record({
    fps: fc.constantFrom(10, 25, 30, 60),
    /** Frames that the camera left out before this one. */
    gaps: fc.array(fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 1, 3), { minLength: 60, maxLength: 600 }),
    /** Lateness of each arrival in frame periods; some are quick, as always. */
    delays: fc.array(fc.double({ min: 0, max: 8, noNaN: true }), { minLength: 600, maxLength: 600 }),
    lost: fc.array(fc.boolean(), { minLength: 600, maxLength: 600 }),
    driftPpm: fc.integer({ min: -100, max: 100 }),
    first: fc.integer({ min: 0, max: 10 }),
  });

  it('are found for every frame, however late it is and whichever others were lost', () => {
    fc.assert(
      fc.property(recording, ({ fps, gaps, delays, lost, driftPpm, first }) => {
        const positions: number[] = [];
        for (const gap of gaps) positions.push((positions.at(-1) ?? -1) + 1 + gap);
        const timesMs = positions.map((position) => Math.round((position * 1e6) / fps) / 1e3);
        let latestMs = 0;
        const arrivalsMs = timesMs.map((timeMs, i) => {
          const delayMs = i % 11 === 0 ? 0 : ((delays[i] ?? 0) * 1e3) / fps;
          latestMs = Math.max(latestMs, epochMs + timeMs * (1 + driftPpm / 1e6) + delayMs);
          return latestMs;
        });
        const kept = positions
          .map((_, i) => i)
          .filter((i) => i >= first && (i % 7 === 0 || lost[i] !== true));
        const delivered = deliveredFrames(
          ticksOf(timesMs, (timeMs) => epochMs + timeMs * (1 + driftPpm / 1e6)),
        );
        const arrived = kept.map((i) => arrivedAt(arrivalsMs[i] ?? 0, i));
        const { takenS, skipped } = matchFrames(arrived, delivered, fps);

        expect(delivered).toHaveLength(positions.length);
        expect(takenS).toEqual(kept.map((i) => delivered[i]?.takenS));
        const [from, to] = [kept[0] ?? 0, kept.at(-1) ?? 0];
        expect(skipped).toBe((positions[to] ?? 0) - (positions[from] ?? 0) - (to - from));
      }),
    );
  });

  const evenMs = Array.from({ length: 90 }, (_, i) => Math.round((i * 1e6) / 30) / 1e3);

  it('follow the fastest frames, whenever the log was read', () => {
    const delivered = deliveredFrames(ticksOf(evenMs, (timeMs, i) => epochMs + timeMs + (i < 60 ? 40 : 3)));
    delivered.forEach(({ takenS }, i) => {
      expect(takenS * 1e3 - epochMs).toBeCloseTo((i * 1e3) / 30 + 3, 2);
    });
  });

  it('continue with the next pipeline, and count once if two supervisors reported them', () => {
    const first = ticksOf(evenMs, (timeMs) => epochMs + timeMs);
    const again = first.slice(60).map((tick) => ({ ...tick, deliveredAtMs: null }));
    const later = ticksOf(evenMs, (timeMs) => epochMs + 9000 + timeMs, '2');
    const delivered = deliveredFrames([...first, ...again, ...later]);
    expect(delivered.map(({ number }) => number)).toEqual([...evenMs.keys(), ...evenMs.keys()]);
    expect((delivered[90]?.takenS ?? 0) * 1e3).toBeCloseTo(epochMs + 9000, 1);
  });

  it.each([
    ['none', []],
    ['never seen delivered', ticksOf(evenMs, () => 0).map((tick) => ({ ...tick, deliveredAtMs: null }))],
    ['of another time', ticksOf(evenMs, (timeMs) => epochMs + 60_000 + timeMs)],
    ['of other frames', ticksOf(evenMs, (timeMs) => epochMs + timeMs).slice(5)],
  ])('are null where those told are %s', (_what, ticks) => {
    const arrived = [arrivedAt(epochMs, 0), arrivedAt(epochMs + 33, 1)];
    expect(matchFrames(arrived, deliveredFrames(ticks), 30)).toEqual({ takenS: [null, null], skipped: 0 });
  });

  it('are null for a frame whose timestamp is not its own', () => {
    const delivered = deliveredFrames(ticksOf(evenMs, (timeMs) => epochMs + timeMs));
    const arrived = [
      arrivedAt(epochMs, 0),
      { ...arrivedAt(epochMs + 33, 1), pts: null },
      arrivedAt(epochMs + 67, 2),
    ];
    const { takenS } = matchFrames(arrived, delivered, 30);
    expect(takenS.map((time) => time !== null)).toEqual([true, false, true]);
  });
});
