import { getEventListeners } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PictureInput } from './picture-input.ts';

const part = (body: Buffer) =>
  Buffer.concat([
    Buffer.from(`--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: ${body.length}\r\n\r\n`),
    body,
    Buffer.from('\r\n'),
  ]);

it('returns the newest picture wherever the stream is split', async () => {
  const bodies = fc.array(
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    { minLength: 1, maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(bodies, fc.integer({ min: 1, max: 100 }), async (pictures, step) => {
      const stream = Buffer.concat(pictures.map(part));
      const chunks: Buffer[] = [];
      for (let at = 0; at < stream.length; at += step) chunks.push(stream.subarray(at, at + step));
      const input = new PictureInput();
      await input.read(Readable.from(chunks));
      expect(await input.next(new AbortController().signal)).toEqual(pictures.at(-1));
    }),
  );
});

it('reports that a stream is something else', async () => {
  const endless = Readable.from(Array.from({ length: 20 }, () => Buffer.alloc(1024 * 1024)));
  await expect(new PictureInput().read(endless)).rejects.toThrow(/mpjpeg/);
});

it('leaves no listener on the signal for the pictures it waited for', async () => {
  const input = new PictureInput();
  const stream = new PassThrough();
  const reading = input.read(stream);
  const stop = new AbortController();
  for (let count = 0; count < 50; count += 1) {
    const next = input.next(stop.signal);
    stream.write(part(Buffer.from(`picture ${count}`)));
    expect(String(await next)).toBe(`picture ${count}`);
  }
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  stream.end();
  await reading;
});
