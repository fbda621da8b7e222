import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countOf,
  formatBitrate,
  formatBytes,
  formatCodec,
  formatCounter,
  formatFps,
  formatInstant,
  formatLeft,
  formatMs,
  formatOffset,
  formatPercent,
  formatSize,
  formatSpan,
} from './format.ts';

describe('durations and counters', () => {
  test.each([
    [0, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3600 + 5 * 60, '1 h 05 min'],
    [26 * 3600, '1 d 2 h'],
    [null, '–'],
  ])('%s s → %s', (seconds, text) => expect(formatSpan(seconds)).toBe(text));

  test.each([
    [7, '0:07'],
    [754, '12:34'],
    [3723, '1:02:03'],
    [-5, '0:00'],
  ])('%s s → %s on a counter', (seconds, text) => expect(formatCounter(seconds)).toBe(text));

  test('a counter can be read back', () => {
    fc.assert(
      fc.property(fc.nat({ max: 400_000 }), (seconds) => {
        const read = formatCounter(seconds)
          .split(':')
          .reduce((sum, part) => sum * 60 + Number(part), 0);
        expect(read).toBe(seconds);
      }),
    );
  });
});

describe('sizes and rates', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [999_600, '1.0 MB'],
    [1_500_000, '1.5 MB'],
    [123_456_789, '123 MB'],
    [2e12, '2.0 TB'],
  ])('%s bytes → %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test('no byte count shows four digits below the largest unit', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e17, noNaN: true }), (bytes) => {
        expect(formatBytes(bytes)).toMatch(/^\d{1,3}(\.\d)? (B|kB|MB|GB|TB|PB)$/);
      }),
    );
  });

  test('bitrates, frame rates, sizes, times, shares', () => {
    expect(formatBitrate(640.4)).toBe('640 kbit/s');
    expect(formatBitrate(5960)).toBe('6.0 Mbit/s');
    expect(formatBitrate(null)).toBe('–');
    expect(formatFps(30)).toBe('30 fps');
    expect(formatFps(29.97)).toBe('30 fps');
    expect(formatFps(7.5)).toBe('7.5 fps');
    expect(formatSize(1920, 1080)).toBe('1920×1080');
    expect(formatSize(null, 1080)).toBe('–');
    expect(formatMs(12.4)).toBe('12 ms');
    expect(formatOffset(null, null)).toBe('–');
    expect(formatOffset(2.5, 1.2)).toBe('2.5 ms ahead, ± 1.2 ms');
    expect(formatOffset(-40, null)).toBe('40 ms behind');
    expect(formatOffset(0, 1)).toBe('in step, ± 1 ms');
    expect(formatMs(0.44)).toBe('0.4 ms');
    expect(formatMs(2500)).toBe('2.5 s');
    expect(formatMs(125_000)).toBe('2 min');
    expect(formatPercent(0.004)).toBe('0.4 %');
    expect(formatPercent(0)).toBe('0 %');
    expect(countOf(1, 'camera')).toBe('1 camera');
    expect(countOf(0, 'camera')).toBe('0 cameras');
  });
});

describe('codecs', () => {
  test.each([
    ['avc1.42e01f', 'H.264 Baseline 3.1'],
    ['avc1.4d0028', 'H.264 Main 4.0'],
    ['avc1.640029', 'H.264 High 4.1'],
    ['avc1', 'H.264'],
    ['opus', 'Opus'],
    ['theora', 'theora'],
    [null, '–'],
  ])('%s → %s', (codec, text) => expect(formatCodec(codec)).toBe(text));
});

test('shows an invalid time as it is', () => {
  expect(formatInstant('yesterday')).toBe('yesterday');
  expect(formatInstant('2026-11-22T11:30:00.000Z', 'en-GB')).toMatch(/22 Nov 2026/);
});

test.each([
  [0, 'less than 10 s'],
  [31, 'about 40 s'],
  [60, 'about 1 min'],
  [71, 'about 2 min'],
  [3600, 'about 1 h 00 min'],
])('shows an estimate of %d s as %s', (seconds, text) => expect(formatLeft(seconds)).toBe(text));
