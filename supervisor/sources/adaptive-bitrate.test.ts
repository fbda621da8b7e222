import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeLink, type LinkRate, type LinkSample, unmeasuredLink } from './adaptive-bitrate.ts';

const live = { wantedKbps: 8000, frozen: false };

/** A sample each second with this loss. */
function follow(state: LinkRate, losses: readonly (number | null)[], how = live, startMs = 0): LinkRate {
  return losses.reduce<LinkRate>((before, lossRatio, second) => {
    return judgeLink(before, { atMs: startMs + second * 1000, sentKbps: 4000, lossRatio }, how);
  }, state);
}

const seconds = (count: number, lossRatio: number | null) => Array.from({ length: count }, () => lossRatio);

describe('judgeLink', () => {
  test('ignores a burst of loss; lasting loss lowers the rate to what arrives', () => {
    expect(follow(unmeasuredLink, seconds(7, 0.5)).linkKbps).toBeNull();
    expect(follow(unmeasuredLink, [...seconds(7, 0.5), 0, ...seconds(7, 0.5)]).linkKbps).toBeNull();
    expect(follow(unmeasuredLink, seconds(9, 0.5)).linkKbps).toBe(2000);
  });

  test('raises the rate after two clean minutes, up to the configured one', () => {
    const low = { ...unmeasuredLink, linkKbps: 4000 };
    expect(follow(low, seconds(100, 0)).linkKbps).toBe(4000);
    expect(follow(low, seconds(121, 0)).linkKbps).toBe(6000);
    expect(follow(low, seconds(250, 0)).linkKbps).toBeNull();
    // A little loss is no reason to go down, nor to go up.
    expect(follow(low, seconds(250, 0.03)).linkKbps).toBe(4000);
  });

  test('a take freezes the rate, which is judged afresh afterwards', () => {
    const frozen = follow(unmeasuredLink, seconds(60, 0.5), { ...live, frozen: true });
    expect(frozen).toEqual(unmeasuredLink);
    expect(follow(frozen, seconds(7, 0.5), live, 60_000).linkKbps).toBeNull();
    expect(follow(frozen, seconds(9, 0.5), live, 60_000).linkKbps).toBe(2000);
  });

  test('unknown figures change nothing', () => {
    expect(follow(unmeasuredLink, seconds(60, null))).toEqual(unmeasuredLink);
    expect(judgeLink(unmeasuredLink, { atMs: 0, sentKbps: 0, lossRatio: 1 }, live)).toEqual(unmeasuredLink);
  });

  test('never changes more than once in 8 s, and raises only without loss', () => {
    const samples = fc.array(
      fc.record({
        lossRatio: fc.double({ min: 0, max: 1, noNaN: true }),
        stepMs: fc.integer({ min: 100, max: 5000 }),
      }),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(samples, (steps) => {
        let state: LinkRate = unmeasuredLink;
        let atMs = 0;
        let changedAtMs = Number.NEGATIVE_INFINITY;
        for (const { lossRatio, stepMs } of steps) {
          atMs += stepMs;
          const sample: LinkSample = { atMs, sentKbps: 4000, lossRatio };
          const next = judgeLink(state, sample, live);
          if (next.linkKbps !== state.linkKbps) {
            expect(atMs - changedAtMs).toBeGreaterThanOrEqual(8000);
            const up = next.linkKbps === null || (state.linkKbps !== null && next.linkKbps > state.linkKbps);
            expect(up ? lossRatio <= 0.01 : lossRatio >= 0.05).toBe(true);
            changedAtMs = atMs;
          }
          state = next;
        }
      }),
    );
  });
});
