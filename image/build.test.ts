import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

function build(...args: string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(join(import.meta.dirname, 'build'), args, { encoding: 'utf8' });
  return { status, stderr };
}

test.each(['--pi-gen', '--arch', '--flavour', '--out', '--version', '--minimum', '--notes'])(
  'reports a missing value for %s in one sentence',
  (option) => {
    expect(build('pi', option)).toEqual({
      status: 1,
      stderr: `image/build: ${option} needs a value after it\n`,
    });
  },
);

test('rejects a folder without pi-gen before it installs or builds anything', () => {
  const { status, stderr } = build('pi', '--pi-gen', import.meta.dirname);
  expect(stderr).toBe(
    `image/build: ${import.meta.dirname} is no checkout of pi-gen: there is no build.sh in it\n`,
  );
  expect(status).toBe(1);
});

test.each([[], ['--what'], ['virt', 'word'], ['dance']])('%s prints the usage', (...args) => {
  const { status, stderr } = build(...args);
  expect(stderr).toMatch(/^Builds the image\.\n(?:.*\n)* {2}image\/build pi --stand-ins/);
  expect(status).toBe(2);
});
