import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LumaPlane, readStrip, stripAgeMs, stripFilter, stripHeight } from './strip.ts';

describe('readStrip', () => {
  it('reads back any frame number and time, planar and RGBA', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 65_535 }),
        fc.nat({ max: 65_535 }),
        fc.integer({ min: 128, max: 400 }),
        (frame, clockMs, width) => {
          expect(readStrip(drawn(frame, clockMs, width, 1))).toEqual({ frame, clockMs });
          expect(readStrip(drawn(frame, clockMs, width, 4))).toEqual({ frame, clockMs });
        },
      ),
    );
  });

  it('finds none in a grey picture or in one that is too narrow', () => {
    const grey = { data: new Uint8Array(64 * 64).fill(128), width: 64, height: 64 };
    expect(readStrip(grey)).toBeUndefined();
    expect(readStrip({ data: new Uint8Array(16), width: 16, height: 1 })).toBeUndefined();
  });

  it('reads what ffmpeg drew, after H.264', () => {
    const [width, height, frames] = [320, 180, 40];
    const graph = `${stripFilter(width, height, 30)}[s];testsrc2=s=${width}x${height}:r=30[b];[b][s]overlay`;
    const before = Date.now();
    const encode = ['-f', 'lavfi', '-i', graph, '-frames:v', `${frames}`, '-c:v', 'libx264', '-b:v', '300k'];
    const speed = ['-preset', 'ultrafast', '-tune', 'zerolatency', '-f', 'h264', '-'];
    const h264 = run(['-re', ...encode, ...speed]);
    const yuv = run(['-f', 'h264', '-i', '-', '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'], h264);
    const frameBytes = (width * height * 3) / 2;
    const readings = Array.from({ length: frames }, (_unused, index) =>
      readStrip({ data: yuv.subarray(index * frameBytes), width, height }),
    );
    expect(readings.map((reading) => reading?.frame)).toEqual(readings.map((_unused, index) => index));
    const ages = readings.map((reading) => stripAgeMs(reading ?? { frame: 0, clockMs: 0 }, before));
    // Generated after `before`, one after the other.
    expect(ages.every((age) => age <= 0)).toBe(true);
    expect(ages.every((age, index) => index === 0 || age <= (ages[index - 1] ?? 0))).toBe(true);
  });
});

describe('stripAgeMs', () => {
  it('survives the 16-bit wrap', () => {
    const now = 65_536 * 1000 + 40;
    expect(stripAgeMs({ frame: 0, clockMs: 10 }, now)).toBe(30);
    expect(stripAgeMs({ frame: 0, clockMs: 65_530 }, now)).toBe(46);
    expect(stripAgeMs({ frame: 0, clockMs: 50 }, now)).toBe(-10);
  });
});

function drawn(frame: number, clockMs: number, width: number, stride: number): LumaPlane {
  const height = 90;
  const data = new Uint8Array(width * height * stride);
  const bits = frame * 65_536 + clockMs;
  for (let y = 0; y < stripHeight(height); y += 1) {
    for (let x = 0; x < width; x += 1) {
      const cell = Math.floor((x * 32) / width);
      const bit = Math.floor(bits / 2 ** (31 - cell)) % 2;
      data[(y * width + x) * stride] = bit === 1 ? 235 : 16;
    }
  }
  return { data, width, height, stride, rowStride: width * stride };
}

function run(args: readonly string[], input?: Buffer): Buffer {
  const options = { maxBuffer: 64 * 1024 * 1024, ...(input === undefined ? {} : { input }) };
  return execFileSync('ffmpeg', ['-v', 'error', ...args], options);
}
