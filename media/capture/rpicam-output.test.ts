import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptureOutputError } from './errors.ts';
import { PtsReader } from './rpicam-output.ts';

describe('PtsReader', () => {
  function read(pieces: readonly string[], from: 'start' | 'middle' = 'start'): number[] {
    const times: number[] = [];
    const reader = new PtsReader((timeMs) => times.push(timeMs), from);
    for (const piece of pieces) reader.push(piece);
    return times;
  }

  it('reads the output of rpicam-vid without an unfinished last line', () => {
    expect(read(['# timecode format v2\n0.000\n33.342\n66.68'])).toEqual([0, 33.342]);
    expect(read([''])).toEqual([]);
  });

  it('continues at the beginning of any line', () => {
    expect(read(['100.001\n133.3', '34\n'], 'middle')).toEqual([100.001, 133.334]);
  });

  it('reads back any list of times, however it is split', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1e9 })), fc.integer({ min: 1, max: 40 }), (microseconds, length) => {
        const times = microseconds.map((time) => time / 1000);
        const text = ['# timecode format v2', ...times.map((time) => time.toFixed(3)), ''].join('\n');
        const pieces = text.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? [];
        expect(read(pieces)).toEqual(times);
      }),
    );
  });

  it('throws nothing but its own error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          read([`# timecode format v2\n${text}`]);
        } catch (error) {
          expect(error).toBeInstanceOf(CaptureOutputError);
        }
      }),
    );
  });
});
