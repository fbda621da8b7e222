import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const here = import.meta.dirname;
const overlays = readdirSync(here).filter((name) => name.endsWith('.dts'));
/** Compiled trees of boards: those of `image/build trees`, or of a boot partition. */
const boardTrees =
  process.env.RUSHLIGHT_BOARD_TREES ?? join(here, '..', '..', 'image', 'cache', 'board-trees');
const trees = existsSync(boardTrees)
  ? readdirSync(boardTrees).filter((name) => /^bcm27\d\d|^bcm2837/.test(name) && name.endsWith('.dtb'))
  : [];
if (trees.length === 0)
  process.stdout.write('SKIPPED, overlays on the trees of boards: run image/build trees once\n');
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

test('finds overlays to compile', () => expect(overlays).not.toEqual([]));

test.each(overlays)('%s compiles without a warning', (name) => {
  expect(run('dtc', '-@', '-I', 'dts', '-O', 'dtb', '-o', join(work, 'again.dtbo'), join(here, name))).toBe(
    '',
  );
});

describe('applied to a tree', () => {
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
  ] as const)('%s leaves GPIO %i idle, pulled %s', (node, gpio, _, pull) => {
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

describe.runIf(trees.length > 0)('applied to the trees of boards', () => {
  test.each(trees)('%s', (tree) => {
    const base = join(work, `base-${tree}`);
    const out = join(work, `board-${tree}`);
    copyFileSync(join(boardTrees, tree), base);
    const symbolOf = (label: string) =>
      spawnSync('fdtget', [base, '/__symbols__', label], { encoding: 'utf8' });
    // Raspberry Pi's own tree of the Pi 5 names the RP1's controller `gpio`; that of the kernel's authors does not.
    if (symbolOf('gpio').status !== 0)
      run('fdtput', '-t', 's', base, '/__symbols__', 'gpio', symbolOf('rp1_gpio').stdout.trim());
    run('fdtoverlay', '-i', base, '-o', out, ...overlays.map((name) => join(work, `${name}.dtbo`)));
    const gpio = symbolOf('gpio').stdout.trim();
    expect(run('fdtget', out, `${gpio}/rushlight_jumper`, 'brcm,pins').trim()).toBe('17');
    const [controller, line, flags] = run('fdtget', '-t', 'u', out, '/rushlight-leds/status', 'gpios')
      .trim()
      .split(' ');
    expect(controller).toBe(run('fdtget', '-t', 'u', out, gpio, 'phandle').trim());
    expect([line, flags]).toEqual(['23', '0']);
  });
});
