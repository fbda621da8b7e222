import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundaryOf, MultipartParser } from './multipart.ts';

function parse(boundary: string, stream: Buffer, cuts: readonly number[], maxPartBytes = 10_000): Buffer[] {
  const points = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  const parser = new MultipartParser(boundary, maxPartBytes);
  return points.slice(1).flatMap((end, i) => parser.push(stream.subarray(points[i], end)));
}

describe('boundaryOf', () => {
  it.each([
    ['multipart/x-mixed-replace; boundary=frame', 'frame'],
    ['multipart/x-mixed-replace;boundary="a b"', 'a b'],
    ['Multipart/X-Mixed-Replace; charset=x; boundary=--myboundary', 'myboundary'],
  ])('reads %s', (type, boundary) => expect(boundaryOf(type)).toBe(boundary));

  it.each([null, '', 'image/jpeg', 'multipart/x-mixed-replace', 'multipart/x-mixed-replace; boundary=--'])(
    'rejects %s',
    (type) => expect(() => boundaryOf(type)).toThrow(expect.objectContaining({ code: 'MULTIPART_INVALID' })),
  );
});

describe('MultipartParser', () => {
  const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

  it('finds the same parts wherever the stream is split, with or without their length', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(body, fc.boolean())), fc.array(fc.nat()), (parts, cuts) => {
        const stream = Buffer.concat([
          ...parts.flatMap(([bytes, withLength]) => [
            Buffer.from('--cut-here\r\nContent-Type: image/jpeg\r\n'),
            Buffer.from(withLength ? `Content-Length: ${bytes.length}\r\n\r\n` : '\r\n'),
            bytes,
            Buffer.from('\r\n'),
          ]),
          Buffer.from('--cut-here'),
        ]);
        expect(parse('cut-here', stream, cuts)).toEqual(parts.map(([bytes]) => bytes));
      }),
    );
  });

  it('finds the first part even without a delimiter before it, and ignores anything before a delimiter', () => {
    const picture = Buffer.alloc(3000, 7);
    const head = `Content-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`;
    const next = Buffer.concat([Buffer.from(`\r\n--b\r\n${head}`), picture]);
    const cuts = fc.oneof(fc.array(fc.nat()), fc.constant([10, 24, 26, 1460, 2920]));
    for (const before of [head, `\r\n${head}`, `--b\r\n${head}`, `An old preamble.\r\n--b\r\n${head}`]) {
      fc.assert(
        fc.property(cuts, (points) => {
          const stream = Buffer.concat([Buffer.from(before), picture, next]);
          const found = parse('b', stream, points);
          expect(found.map((part) => part.equals(picture))).toEqual([true, true]);
        }),
        { numRuns: 30 },
      );
    }
    const long = Buffer.concat([Buffer.from(`${'noise '.repeat(5000)}\r\n--b\r\n${head}`), picture]);
    expect(parse('b', long, [9000, 20_000])).toEqual([picture]);
  });

  it.each([
    ['with their length', true],
    ['without', false],
  ])('accepts Unix line ends, %s', (_how, withLength) => {
    const picture = Buffer.from([0xff, 0xd8, ...Array.from({ length: 500 }, (_, i) => i % 251), 0xff, 0xd9]);
    const head = `--b\nContent-Type: image/jpeg\n${withLength ? `Content-Length: ${picture.length}\n` : ''}\n`;
    const part = Buffer.concat([Buffer.from(head), picture, Buffer.from('\n')]);
    const stream = Buffer.concat([part, part, Buffer.from('--b')]);
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        expect(parse('b', stream, cuts)).toEqual([picture, picture]);
      }),
      { numRuns: 50 },
    );
  });

  it('assembles a part that arrives in tiny pieces', () => {
    const picture = Buffer.alloc(2_000_000, 7);
    const stream = Buffer.concat([Buffer.from('--b\r\n\r\n'), picture, Buffer.from('\r\n--b')]);
    const parser = new MultipartParser('b', 4_000_000);
    const parts: Buffer[] = [];
    for (let at = 0; at < stream.length; at += 200) parts.push(...parser.push(stream.subarray(at, at + 200)));
    expect(parts.map((part) => part.equals(picture))).toEqual([true]);
  });

  it('never throws anything but its own error', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(body, fc.constant(Buffer.from('--x\r\n\r\n')))), (chunks) => {
        const parser = new MultipartParser('x', 50);
        try {
          for (const chunk of chunks) parser.push(chunk);
        } catch (error) {
          expect(error).toMatchObject({ code: 'MULTIPART_INVALID' });
        }
      }),
    );
  });

  it.each([
    ['a body longer than allowed', '--x\r\nContent-Length: 101\r\n\r\n'],
    ['a body without an end', `--x\r\n\r\n${'a'.repeat(200)}`],
    ['a head without an end', `--x\r\n${'a'.repeat(20_000)}`],
  ])('rejects %s', (_what, text) => {
    expect(() => parse('x', Buffer.from(text), [], 100)).toThrow(/too long/);
  });
});
