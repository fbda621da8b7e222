import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ReceiveSample, ratesOf, sampleOf } from './receive-stats.ts';

const video = {
  type: 'inbound-rtp',
  kind: 'video',
  framesDecoded: 60,
  framesDropped: 1,
  bytesReceived: 500_000,
  packetsReceived: 400,
  packetsLost: 0,
  freezeCount: 0,
  totalFreezesDuration: 0,
  jitterBufferDelay: 0.6,
  jitterBufferEmittedCount: 60,
  totalDecodeTime: 0.12,
  frameWidth: 1280,
  frameHeight: 720,
};

const sample = (entries: Record<string, unknown>[], atMs: number): ReceiveSample => {
  const value = sampleOf(entries, atMs);
  if (value === null) throw new Error('no sample');
  return value;
};

test('a report without video has no sample', () => {
  expect(sampleOf([{ type: 'inbound-rtp', kind: 'audio' }, { type: 'transport' }], 0)).toBeNull();
});

test('size and round trip come from the right entries', () => {
  const pairs = [
    { type: 'candidate-pair', nominated: false, currentRoundTripTime: 9 },
    { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.004 },
  ];
  expect(sample([...pairs, video], 5)).toMatchObject({
    width: 1280,
    height: 720,
    rttMs: 4,
    framesDecoded: 60,
  });
});

test('rates between two samples', () => {
  const before = sample([video], 1000);
  const later = {
    ...video,
    framesDecoded: 90,
    bytesReceived: 875_000,
    packetsReceived: 697,
    packetsLost: 3,
    jitterBufferDelay: 0.96,
    jitterBufferEmittedCount: 90,
    totalDecodeTime: 0.18,
  };
  const rates = ratesOf(before, sample([later], 2000));
  expect(rates.fps).toBeCloseTo(30);
  expect(rates.bitrateKbps).toBeCloseTo(3000);
  expect(rates.bufferMs).toBeCloseTo(12);
  expect(rates.decodeMs).toBeCloseTo(2);
  expect(rates.lossRatio).toBeCloseTo(0.01);
});

test('rates are non-negative numbers, whatever a browser reports', () => {
  const entry = fc.record({}, { requiredKeys: [] }).chain(() =>
    fc.record(
      Object.fromEntries(
        Object.keys(video)
          .filter((key) => key !== 'type' && key !== 'kind')
          .map((key) => [key, fc.oneof(fc.double(), fc.nat(), fc.string(), fc.constant(undefined))]),
      ),
    ),
  );
  fc.assert(
    fc.property(entry, entry, fc.nat(), fc.nat(), (a, b, atMs, laterMs) => {
      const before = sample([{ ...a, type: 'inbound-rtp', kind: 'video' }], atMs);
      const after = sample([{ ...b, type: 'inbound-rtp', kind: 'video' }], laterMs);
      const { fps, bitrateKbps, lossRatio } = ratesOf(before, after);
      for (const rate of [fps, bitrateKbps, lossRatio ?? 0]) expect(rate).toBeGreaterThanOrEqual(0);
    }),
  );
});
