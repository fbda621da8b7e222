import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readableFrameLog } from './frame-log.ts';
import { SegmentWatch } from './segment-watch.ts';

const header = '#format: frame checksums\n#version: 2\n#hash: MD5\n#tb 0: 1/90000\n';
const line = (number: number) => `0, ${number * 3000}, ${number * 3000}, 1, 100, ${'ab'.repeat(16)}\n`;

it('keeps counting after something unreadable', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'segment-watch-'));
  try {
    const [file, log] = [join(folder, '0001.mkv'), join(folder, '0001.framemd5')];
    await writeFile(file, 'frames');
    await writeFile(log, header + line(0) + line(1));
    using watch = new SegmentWatch(file, log, 30);
    expect(await watch.poll()).toMatchObject({ frames: 2, droppedFrames: 0 });
    await appendFile(log, `${'\0'.repeat(500)}\nno line\n${line(2)}${line(3)}`);
    expect(await watch.poll()).toMatchObject({ frames: 4, droppedFrames: 0 });
    watch.stepped(7200);
    await appendFile(log, line(4 + 7200 * 30) + line(5 + 7200 * 30));
    expect(await watch.poll()).toMatchObject({ frames: 6, droppedFrames: 0 });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('detects any damage to a frame log: every time it returns is plausible', () => {
  const text = header + Array.from({ length: 20 }, (_, number) => line(number)).join('');
  const at = fc.nat({ max: text.length - 1 });
  fc.assert(
    fc.property(
      at,
      fc.nat({ max: 30 }),
      fc.string({ maxLength: 30, unit: fc.constantFrom(...'0123456789,-# \n/tb:') }),
      (from, cut, put) => {
        const { log } = readableFrameLog(text.slice(0, from) + put + text.slice(from + cut));
        for (const { pts } of log.frames) {
          expect(Number.isNaN(new Date(pts * log.timeBase * 1e3).getTime())).toBe(false);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

it.each([
  ['a time base of years', '#tb 0: 999999999/1\n', 90_000],
  ['a time base of nothing', '#tb 0: 1/0\n', 90_000],
  ['a timestamp beyond all years', '#tb 0: 1/90000\n', '9'.repeat(30)],
])('reads no frame after %s', (_what, base, pts) => {
  const frame = `0, ${pts}, ${pts}, 1, 100, ${'ab'.repeat(16)}\n`;
  const { log, damaged } = readableFrameLog(base + frame);
  expect(log.frames).toEqual([]);
  expect(damaged).toMatchObject({ code: 'FRAME_LOG_INVALID' });
});
