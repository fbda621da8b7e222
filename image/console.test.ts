import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jsQR from 'jsqr';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = join(import.meta.dirname, '../overlays/rootfs/usr/libexec/rushlight/console');
const token = 'wY3nR8Yc0aJk3Wz0aXH1o2yqk8N3v5T7xP9sD4fG6hI';
const introducer = '\u001b[';
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-console-'));
  mkdirSync(join(folder, 'bin'));
  systemctlSays('active');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The one thing of the machine that is played. */
function systemctlSays(word: string): void {
  const path = join(folder, 'bin/systemctl');
  writeFileSync(path, `#!/bin/sh\necho ${word}\n`);
  chmodSync(path, 0o755);
}

function screen(rows: number): string {
  const env = {
    ...process.env,
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    LC_ALL: 'C.UTF-8',
    RUSHLIGHT_RUN: folder,
    RUSHLIGHT_DATA: folder,
    RUSHLIGHT_ROWS: String(rows),
  };
  const { status, stdout, stderr } = spawnSync('sh', [script, 'once'], { encoding: 'utf8', env });
  expect(status, stderr).toBe(0);
  return stdout;
}

/** The dots of a code as the screen shows them, light ones true: blocks of one or two characters' width. */
function dotsOf(printed: string): boolean[][] {
  const lines = printed.split('\n');
  const small = lines.filter((line) => /^[ ▀▄█]{20,}$/.test(line));
  if (small.length > 0) {
    return small.flatMap((line) => [
      [...line].map((block) => '▀█'.includes(block)),
      [...line].map((block) => '▄█'.includes(block)),
    ]);
  }
  // A colour, then so many pairs of columns in it.
  return lines
    .filter((line) => line.startsWith(`${introducer}47m`))
    .map((line) =>
      line.split(introducer).flatMap((run) => {
        const [colour, columns = ''] = run.split('m');
        return Array.from({ length: columns.length / 2 }, () => colour === '47');
      }),
    );
}

/** As a phone reads it: every dot so many pixels. */
function decode(dots: boolean[][], scale = 4): string | undefined {
  const width = (dots[0]?.length ?? 0) * scale;
  const height = dots.length * scale;
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const isLight = dots[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true;
      pixels.fill(isLight ? 255 : 0, (y * width + x) * 4, (y * width + x) * 4 + 4);
    }
  }
  return jsQR.default(pixels, width, height)?.data;
}

test.each([
  ['a small screen', 30],
  ['a large one', 67],
])('the code on %s opens the page as the owner', (_, rows) => {
  writeFileSync(join(folder, 'console'), 'https://stage-left.local/\nRushlight  stage-left\nIt is ready.\n');
  writeFileSync(join(folder, 'owner-token'), `${token}\n`);
  const shown = screen(rows);
  expect(shown).toContain('  Rushlight  stage-left\n  It is ready.\n');
  expect(decode(dotsOf(shown))).toBe(`https://stage-left.local/#token=${token}`);
  // It fits: both kinds of screen are as wide as they are said to be here.
  const size = dotsOf(shown).length;
  expect(rows > 60 ? size * 2 : size).toBeLessThanOrEqual(rows > 60 ? 240 : 80);
});

test('the screen says so if the product has not reported yet or is not running', () => {
  expect(screen(30)).toContain('It is starting.');
  systemctlSays('failed');
  writeFileSync(join(folder, 'console'), 'https://stage-left.local/\nIt is ready.\n');
  const shown = screen(30);
  expect(shown).toContain('https://stage-left.local/');
  expect(shown).toContain('It does not run; it is tried again.');
  expect(shown).not.toContain('ready');
});
