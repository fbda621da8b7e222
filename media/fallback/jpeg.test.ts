import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspectJpeg, scanJpeg } from './jpeg.ts';
import { JpegSplitter } from './jpeg-splitter.ts';

/** Pictures by ffmpeg: three sizes of the test picture, one after the other. */
let pictures: Buffer[] = [];
const sizes = [
  [64, 48],
  [320, 180],
  [18, 1000],
] as const;

function encode(width: number, height: number): Buffer {
  const result = spawnSync('ffmpeg', [
    ...['-loglevel', 'error', '-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}`],
    ...['-frames:v', '1', '-f', 'mjpeg', '-'],
  ]);
  if (result.status !== 0) throw new Error(String(result.stderr));
  return result.stdout;
}

beforeAll(() => {
  pictures = sizes.map(([width, height]) => encode(width, height));
});

describe('inspectJpeg', () => {
  it('reads the size of pictures from ffmpeg', () => {
    pictures.forEach((picture, i) => {
      const [width, height] = sizes[i] ?? [0, 0];
      expect(inspectJpeg(picture)).toEqual({ bytes: picture.length, width, height });
    });
  });

  it('rejects every truncated picture', () => {
    const picture = pictures[0] ?? Buffer.alloc(0);
    fc.assert(
      fc.property(fc.nat({ max: picture.length - 1 }), (length) => {
        expect(() => inspectJpeg(picture.subarray(0, length))).toThrow(
          expect.objectContaining({ code: 'JPEG_INVALID' }),
        );
      }),
    );
  });

  it('never throws any other error', () => {
    const picture = pictures[0] ?? Buffer.alloc(0);
    const damage = fc.array(fc.tuple(fc.nat({ max: picture.length - 1 }), fc.nat({ max: 255 })), {
      maxLength: 8,
    });
    const damaged = damage.map((changes) => {
      const copy = Buffer.from(picture);
      for (const [at, value] of changes) copy[at] = value;
      return copy;
    });
    const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(damaged, anything), (bytes) => {
        try {
          const { width, height, bytes: length } = inspectJpeg(bytes);
          expect(width * height).toBeGreaterThan(0);
          expect(length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'JPEG_INVALID' });
        }
      }),
    );
  });

  it.each([
    ['a PNG', Buffer.from('89504e470d0a1a0a', 'hex'), /begin/],
    ['start and end alone', Buffer.from('ffd8ffd9', 'hex'), /without a picture/],
    ['lossless coding', Buffer.from('ffd8ffc3000b080010001001011100', 'hex'), /browsers/],
    ['no size', Buffer.from('ffd8ffc0000b080000001001011100', 'hex'), /no size/],
    ['12 bits', Buffer.from('ffd8ffc1000b0c0010001001011100', 'hex'), /8 bits/],
    ['a scan before its frame', Buffer.from('ffd8ffda0008010100003f00', 'hex'), /describes/],
  ])('names what is wrong with %s', (_what, bytes, reason) => {
    expect(() => inspectJpeg(bytes)).toThrow(reason);
  });
});

describe('JpegSplitter', () => {
  it('finds the same pictures wherever the stream is split, with anything between them', () => {
    const noise = fc
      .uint8Array({ maxLength: 12 })
      .map((bytes) => Buffer.from(bytes).map((byte) => byte & 0x7f));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(noise, fc.nat({ max: 2 })), { maxLength: 6 }),
        fc.array(fc.nat()),
        (parts, cuts) => {
          const expected = parts.map(([, index]) => pictures[index] ?? Buffer.alloc(0));
          const stream = Buffer.concat(
            parts.flatMap(([before], i) => [Buffer.from(before), expected[i] ?? before]),
          );
          const points = [
            0,
            ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b),
            stream.length,
          ];
          const splitter = new JpegSplitter(1_000_000);
          const found = points.slice(1).flatMap((end, i) => splitter.push(stream.subarray(points[i], end)));
          expect(found.map((picture) => picture.toString('hex'))).toEqual(
            expected.map((picture) => picture.toString('hex')),
          );
          expect(splitter.skippedBytes).toBe(parts.reduce((sum, [before]) => sum + before.length, 0));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('gives up on a picture that is too long and finds the next one', () => {
    const [small, large] = [pictures[0] ?? Buffer.alloc(0), pictures[1] ?? Buffer.alloc(0)];
    const splitter = new JpegSplitter(small.length);
    const stream = Buffer.concat([large.subarray(0, -2), small]);
    const found: Buffer[] = [];
    for (let at = 0; at < stream.length; at += 100)
      found.push(...splitter.push(stream.subarray(at, at + 100)));
    expect(found).toEqual([small]);
  });

  it('never throws and keeps no more than its limit', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (chunks) => {
        const splitter = new JpegSplitter(500);
        for (const chunk of chunks) {
          for (const picture of splitter.push(Buffer.from(chunk)))
            expect(scanJpeg(picture).kind).toBe('complete');
        }
      }),
    );
  });
});
