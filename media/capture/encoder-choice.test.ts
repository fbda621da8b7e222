import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Board, boardOfModel, boards } from './boards.ts';
import { chooseEncoder, type EncoderFacts } from './encoder-choice.ts';
import { encodersMarkdown } from './encoder-docs.ts';
import { levelLimits, lowestLevel, macroblocksPerFrame } from './h264-level.ts';

const full = { cameraSendsH264: false, width: 1920, height: 1080, fps: 30 } as const;
const block = { hardwareEncoder: '/dev/video11' } as const;

describe('chooseEncoder', () => {
  test.each<[string, EncoderFacts, object]>([
    [
      'copies what is H.264 already',
      { ...full, ...block, cameraSendsH264: true },
      { encoder: 'copy', bitrateKbps: null },
    ],
    [
      'takes the hardware of a Pi 4',
      { ...full, ...block, board: 'pi4' },
      { encoder: 'h264_v4l2m2m', fps: 30, bitrateKbps: 6000, level: '4', warnings: [] },
    ],
    [
      'takes libx264 on a Pi 5',
      { ...full, board: 'pi5' },
      { encoder: 'libx264', fps: 30, level: '4', warnings: [] },
    ],
    [
      'takes libx264 on a PC',
      { ...full, fps: 60 },
      { encoder: 'libx264', fps: 60, level: '4.2', warnings: [] },
    ],
    [
      'takes libx264 where the picture is too large for the hardware',
      { ...full, ...block, width: 2304, height: 1296, board: 'pi4' },
      { encoder: 'libx264', fps: 18 },
    ],
    [
      'keeps to the hardware where libx264 would be no faster',
      { ...full, ...block, fps: 50, board: 'zero2w' },
      { encoder: 'h264_v4l2m2m', fps: 30 },
    ],
    [
      'leaves the hardware where a measurement proves libx264 faster',
      { ...full, ...block, fps: 50, board: 'pi4', softwareMacroblocksPerS: 500_000 },
      { encoder: 'libx264', fps: 50 },
    ],
    [
      'does as the settings say',
      { ...full, ...block, board: 'pi4', preference: 'software' },
      { encoder: 'libx264', fps: 26 },
    ],
    [
      'sends pictures where no encoder sustains video',
      { ...full, ...block, width: 2304, height: 1296, board: 'zero2w' },
      { encoder: 'mjpeg', fps: 10, bitrateKbps: null },
    ],
    [
      "passes on a camera's own pictures",
      { ...full, ...block, width: 2592, height: 1944, board: 'pi3', cameraSendsJpeg: true },
      { encoder: 'mjpeg', fps: 30, reason: expect.stringContaining('as they are') },
    ],
    [
      'sends video all the same where the settings insist on the hardware',
      { ...full, ...block, width: 3840, height: 2160, board: 'zero2w', preference: 'hardware' },
      { encoder: 'libx264', fps: 1 },
    ],
    ['sends pictures where the settings say so', { ...full, preference: 'jpeg' }, { encoder: 'mjpeg' }],
    ['leaves room on the link', { ...full, ...block, linkKbps: 4000 }, { bitrateKbps: 3000 }],
  ])('%s', (_, facts, expected) => {
    expect(chooseEncoder(facts)).toMatchObject(expected);
  });

  test('says what it cannot deliver', () => {
    const plan = chooseEncoder({ ...full, ...block, board: 'zero2w', fps: 50, bitrateKbps: 30_000 });
    expect(plan.warnings).toEqual([
      '1920x1080 is sustained at 30 of the wanted 50 fps: the hardware encoder works up to level 4.',
      '20000 instead of 30000 kbit/s: the hardware encoder works up to level 4.',
    ]);
    expect(chooseEncoder({ ...full, board: 'pi5', preference: 'hardware' }).warnings).toEqual([
      'The settings ask for hardware, which cannot do it.',
    ]);
  });

  test('never promises more than requested, nor more than its level allows', () => {
    const facts: fc.Arbitrary<EncoderFacts> = fc
      .record({
        width: fc.integer({ min: 16, max: 4096 }),
        height: fc.integer({ min: 16, max: 2304 }),
        fps: fc.integer({ min: 1, max: 120 }),
        bitrateKbps: fc.integer({ min: 100, max: 100_000 }),
        board: fc.constantFrom(...(Object.keys(boards) as Board[])),
        preference: fc.constantFrom(...(['auto', 'hardware', 'software', 'jpeg'] as const)),
        linkKbps: fc.integer({ min: 500, max: 100_000 }),
        withBlock: fc.boolean(),
      })
      .map(({ withBlock, ...rest }) => ({ ...rest, cameraSendsH264: false, ...(withBlock ? block : {}) }));
    fc.assert(
      fc.property(facts, (given) => {
        const plan = chooseEncoder(given);
        expect(plan.fps).toBeLessThanOrEqual(given.fps ?? 0);
        if (plan.encoder === 'mjpeg') {
          expect(plan).toMatchObject({ bitrateKbps: null, level: null });
          expect(plan.warnings).not.toEqual([]);
          return;
        }
        const least = given.preference === 'hardware' ? 1 : Math.min(10, given.fps ?? 0);
        expect(plan.fps).toBeGreaterThanOrEqual(least);
        expect(plan.bitrateKbps).toBeLessThanOrEqual(Math.max(100, (given.linkKbps ?? 0) * 0.75));
        const less = plan.fps < (given.fps ?? 0) || (plan.bitrateKbps ?? 0) < (given.bitrateKbps ?? 0);
        if (less) expect(plan.warnings).not.toEqual([]);
        const limits = plan.level === null ? null : levelLimits(plan.level);
        if (limits === null) return;
        const perFrame = macroblocksPerFrame(given.width, given.height);
        expect(perFrame * plan.fps).toBeLessThanOrEqual(limits.macroblocksPerS);
        expect(plan.bitrateKbps).toBeLessThanOrEqual(limits.maxKbps);
      }),
    );
  });
});

test.each([
  ['Raspberry Pi Zero 2 W Rev 1.0\0', 'zero2w'],
  ['Raspberry Pi 3 Model B Plus Rev 1.3\0', 'pi3'],
  ['Raspberry Pi Compute Module 3 Plus Rev 1.0', 'pi3'],
  ['Raspberry Pi 4 Model B Rev 1.5', 'pi4'],
  ['Raspberry Pi 400 Rev 1.0', 'pi4'],
  ['Raspberry Pi Compute Module 4 Rev 1.1', 'pi4'],
  ['Raspberry Pi 5 Model B Rev 1.0', 'pi5'],
  ['Raspberry Pi Compute Module 5 Rev 1.0', 'pi5'],
  ['Radxa ROCK 5B', 'pc'],
  [null, 'pc'],
])('%s is a %s', (model, board) => {
  expect(boardOfModel(model)).toBe(board);
});

test('finds the lowest level of well-known streams', () => {
  expect(lowestLevel(1280, 720, 30, 4000)).toBe('3.1');
  expect(lowestLevel(1920, 1080, 30, 6000)).toBe('4');
  expect(lowestLevel(1920, 1080, 60, 6000)).toBe('4.2');
  expect(lowestLevel(9000, 9000, 30, 6000)).toBeNull();
});

test('docs/reference/encoders.md matches the function', () => {
  const committed = readFileSync(new URL('../../docs/reference/encoders.md', import.meta.url), 'utf8');
  expect(committed, 'run: node media/capture/encoder-docs.ts').toBe(encodersMarkdown());
});
