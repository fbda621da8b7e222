import { describe, expect, it } from 'vitest';
import { proofCases, proofFrames, prove } from './lossless-proof.fake.ts';

/** What the camera sent is known sample by sample without any decoder; what the master holds must be that. */
describe.each(['direct', 'spool'] as const)('a master recorded %s', { timeout: 60_000 }, (strategy) => {
  it.each(proofCases)('holds the exact samples of $name, $range range, from $source', async (one) => {
    const proof = await prove(one, strategy);
    expect(proof.problems).toEqual([]);
    expect(proof).toMatchObject({ verified: true, wrong: [] });
    expect(proof.frames).toBe(one.format === 'h264' ? proofFrames : proofFrames - 1);
    expect(proof.range).toBe(one.range === 'full' ? 'pc' : 'tv');
    expect(proof.rate).toBe('30/1');
  });
});

it.each(proofCases.filter(({ name }) => /^(JPEG 4:2:2|H\.264 4:2:0|YUYV 4:2:2)$/.test(name)))(
  'samples of $name stay as they are even where their $range range is taken for the other',
  { timeout: 60_000 },
  async (one) => {
    const mistaken = one.range === 'full' ? 'limited' : 'full';
    expect(await prove(one, 'direct', mistaken)).toMatchObject({ verified: true, wrong: [] });
  },
);
