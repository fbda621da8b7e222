import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BoardImageError, boardImageProblem, newestBoardImage } from './board.ts';

const commit = 'a'.repeat(40);
const good = `source_date_epoch 1796000000\nsource ${commit}\nsuite trixie\nlinux-image-rpi-v8 1:6.12.47-1 arm64\n`;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-board-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('releases an image of the release’s commit', () => {
  expect(boardImageProblem(good, commit)).toBeNull();
});

test('never releases an image of another or an unknown commit', () => {
  expect(boardImageProblem(good.replaceAll('a'.repeat(40), 'b'.repeat(40)), commit)).toContain(
    'made from commit bbbb',
  );
  expect(boardImageProblem('', commit)).toContain('made from commit unknown');
});

test('never releases an image with stand-ins for Raspberry Pi’s packages', () => {
  const manifest = good.replace('1:6.12.47-1', '99+standin');
  expect(boardImageProblem(manifest, commit)).toContain('stand in');
});

test('uses the newest image and the manifest next to it', () => {
  expect(newestBoardImage(join(folder, 'none'), commit)).toBeNull();
  for (const day of ['2026-11-29', '2026-11-30']) writeFileSync(join(folder, `${day}-rushlight.img`), '');
  writeFileSync(join(folder, '2026-11-29-rushlight.manifest.txt'), good);
  expect(() => newestBoardImage(folder, commit)).toThrow(BoardImageError);
  writeFileSync(join(folder, '2026-11-30-rushlight.manifest.txt'), good);
  expect(newestBoardImage(folder, commit)).toBe(join(folder, '2026-11-30-rushlight.img'));
});
