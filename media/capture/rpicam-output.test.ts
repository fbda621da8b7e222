import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptureOutputError } from './errors.ts';
import { PtsReader, parseCameraList } from './rpicam-output.ts';

/** As printed in Raspberry Pi's camera documentation (rpicam-apps 1.x); not recorded from a board. */
const documented = new URL('./fixtures/rpicam-list-cameras.documented.txt', import.meta.url);

describe('parseCameraList', () => {
  it('reads sensors, formats and modes', () => {
    const [imx219, imx477, ...rest] = parseCameraList(readFileSync(documented, 'utf8'));
    expect(rest).toEqual([]);
    expect(imx219).toMatchObject({ index: 0, sensor: 'imx219', width: 3280, height: 2464, bitDepth: 10 });
    expect(imx219?.path).toBe('/base/soc/i2c0mux/i2c@1/imx219@10');
    expect(imx219?.modes).toHaveLength(8);
    expect(imx219?.modes[4]).toEqual({
      ...{ format: 'SRGGB8', width: 640, height: 480, maxFps: 206.65 },
      crop: [1000, 752, 1280, 960],
    });
    expect(imx477?.modes.map(({ format, height }) => `${format} ${height}`)).toEqual([
      'SRGGB10_CSI2P 990',
      'SRGGB12_CSI2P 1080',
      'SRGGB12_CSI2P 1520',
      'SRGGB12_CSI2P 3040',
    ]);
  });

  it('reads no cameras as an empty list', () => {
    expect(parseCameraList('No cameras available!\n')).toEqual([]);
  });

  it('rejects a mode that belongs to no camera', () => {
    const text = "    Modes: 'SRGGB8' : 640x480 [206.65 fps - (1000, 752)/1280x960 crop]\n";
    expect(() => parseCameraList(text)).toThrow(CaptureOutputError);
  });

  it('throws nothing but its own error, whatever the input', () => {
    const pieces = fc.constantFrom(...readFileSync(documented, 'utf8').split(/(?<=[ \n[(])/), 'x', "'", '\n');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        try {
          for (const { modes } of parseCameraList(parts.join(''))) expect(modes).toBeInstanceOf(Array);
        } catch (error) {
          expect(error).toBeInstanceOf(CaptureOutputError);
        }
      }),
    );
  });
});

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
