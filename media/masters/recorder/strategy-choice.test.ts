import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectedRates, remainingSeconds } from '../disk/disk.ts';
import { chooseStrategy } from './strategy-choice.ts';

const raw = {
  codec: 'rawvideo',
  pixelFormat: 'yuv420p',
  range: 'limited',
  fps: 30,
  width: 1280,
  height: 720,
  clock: 'epoch',
} as const;

describe('chooseStrategy', () => {
  it.each([
    ['direct', 1, 'direct'],
    ['spool', 500, 'spool'],
    ['auto', null, 'spool'],
    ['auto', 44.9, 'spool'],
    ['auto', 45, 'direct'],
  ] as const)('%s, measured %s → %s', (configured, measuredFps, strategy) => {
    const choice = chooseStrategy({ configured, codec: 'ffv1', raw, measuredFps });
    expect(choice).toMatchObject({ strategy, reason: expect.stringMatching(/\.$/) });
  });

  it('lets cameras that record together share the measured speed', () => {
    const facts = { configured: 'auto', codec: 'ffv1', raw, measuredFps: 100 } as const;
    const strategies = [1, 2, 3].map((atOnce) => chooseStrategy({ ...facts, atOnce }).strategy);
    expect(strategies).toEqual(['direct', 'direct', 'spool']);
  });

  it('keeps what a camera compressed itself', () => {
    const facts = {
      configured: 'auto',
      codec: 'ffv1',
      raw: { ...raw, codec: 'h264' },
      measuredFps: 500,
    } as const;
    expect(chooseStrategy(facts).strategy).toBe('spool');
  });
});

describe('remainingSeconds', () => {
  it('is never negative, and null if nothing grows', () => {
    expect(remainingSeconds(1000, 400, 100)).toBe(6);
    expect(remainingSeconds(1000, 400, 0)).toBeNull();
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1 }), (free, reserve, rate) => {
        expect(remainingSeconds(free, reserve, rate)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('calculates raw video exactly', () => {
    expect(expectedRates(raw).spool).toBe(1280 * 720 * 1.5 * 30);
  });
});
