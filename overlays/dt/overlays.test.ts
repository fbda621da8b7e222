import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const here = import.meta.dirname;
const overlays = readdirSync(here).filter((name) => name.endsWith('.dts'));
/** Compiled trees of boards, as the boards' image has them; image/build pi gives them here. */
const boardTrees = process.env.RUSHLIGHT_BOARD_TREES;
let work = '';

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout + stderr;
}

function compile(source: string, out: string): string {
  return run('dtc', '-@', '-q', '-I', 'dts', '-O', 'dtb', '-o', out, source);
}

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'rushlight-dt-'));
  compile(join(here, 'fixtures', 'base-tree.dts'), join(work, 'base.dtb'));
  for (const name of overlays) compile(join(here, name), join(work, `${name}.dtbo`));
});

afterAll(() => rmSync(work, { recursive: true }));

test('there is something to compile', () => expect(overlays).not.toEqual([]));

test.each(overlays)('%s compiles without a warning', (name) => {
  expect(run('dtc', '-@', '-I', 'dts', '-O', 'dtb', '-o', join(work, 'again.dtbo'), join(here, name))).toBe(
    '',
  );
});

describe('on a tree', () => {
  const applied = (): string => {
    const out = join(work, 'applied.dtb');
    run(
      'fdtoverlay',
      '-i',
      join(work, 'base.dtb'),
      '-o',
      out,
      ...overlays.map((name) => join(work, `${name}.dtbo`)),
    );
    return out;
  };

  test.each([
    ['rushlight_jumper', 17, 'up', 2],
    ['rushlight_record', 27, 'up', 2],
    ['rushlight_tally', 22, 'down', 1],
    ['rushlight_status', 23, 'down', 1],
  ] as const)('%s rests on GPIO %i, pulled %s', (node, gpio, _, pull) => {
    const get = (property: string): number =>
      Number(run('fdtget', applied(), `/soc/gpio@7e200000/${node}`, property).trim());
    expect([get('brcm,pins'), get('brcm,function'), get('brcm,pull')]).toEqual([gpio, 0, pull]);
  });

  test('the controller applies all of them by itself', () => {
    const handles = run('fdtget', '-t', 'u', applied(), '/soc/gpio@7e200000', 'pinctrl-0').trim().split(' ');
    expect(handles).toHaveLength(4);
    expect(new Set(handles).size).toBe(4);
    expect(run('fdtget', applied(), '/soc/gpio@7e200000', 'pinctrl-names').trim()).toBe('default');
  });
});

describe.runIf(boardTrees !== undefined && existsSync(boardTrees))('on the trees of boards', () => {
  const trees = readdirSync(boardTrees ?? here).filter((name) => /^bcm27\d\d-rpi.*\.dtb$/.test(name));

  test('there are some', () => expect(trees).not.toEqual([]));

  test.each(trees)('%s', (tree) => {
    const base = join(boardTrees ?? '', tree);
    run(
      'fdtoverlay',
      '-i',
      base,
      '-o',
      join(work, 'board.dtb'),
      ...overlays.map((name) => join(work, `${name}.dtbo`)),
    );
  });
});
