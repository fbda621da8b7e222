import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFileOrNull } from '../store.ts';
import { renderAutoboot } from './autoboot.ts';

const libexec = join(import.meta.dirname, '../../overlays/rootfs/usr/libexec/rushlight');
const selector = join(libexec, 'selector');
let root: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trial-guard-'));
  for (const folder of ['config', 'state', 'bin']) await mkdir(join(root, folder));
  await writeFile(join(root, 'config/autoboot.txt'), renderAutoboot('A'));
  // Time passes at once, and a restart is only noted.
  for (const [name, does] of [
    ['sleep', ':'],
    ['systemctl', `echo "$*" >> ${join(root, 'calls')}`],
    ['journalctl', 'echo the journal'],
    ['sync', ':'],
  ] as const) {
    await writeFile(join(root, 'bin', name), `#!/bin/sh\n${does}\n`);
    await chmod(join(root, 'bin', name), 0o755);
  }
  env = {
    ...process.env,
    PATH: `${join(root, 'bin')}:${process.env.PATH}`,
    RUSHLIGHT_SELECTOR: selector,
    RUSHLIGHT_OTA: join(root, 'ota'),
    SELECTOR_CONFIG_DIR: join(root, 'config'),
    SELECTOR_STATE_DIR: join(root, 'state'),
    SELECTOR_CMDLINE: join(root, 'cmdline'),
    TRIAL_DEADLINE_S: '20',
  };
});
afterEach(() => rm(root, { recursive: true, force: true }));

const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { env, stdio: 'pipe' }).toString();
const runIn = (slot: string) => writeFile(join(root, 'cmdline'), `quiet rauc.slot=${slot}\n`);
const calls = async () => (await readFileOrNull(join(root, 'calls'))) ?? '';

describe('the deadline of a trial', () => {
  it('ends an abandoned trial, with its reason and the journal', async () => {
    await runIn('A');
    run(selector, 'set-primary', 'B');
    await runIn('B');
    run(selector, 'early');
    run(join(libexec, 'trial-guard'));
    expect(await readFile(join(root, 'ota/trial-guard.log'), 'utf8')).toMatch(
      /^the trial did not end within 20 s\n[\s\S]*the journal/,
    );
    expect(run(selector, 'show')).toMatch(/^b=bad$/m);
    expect(await calls()).toContain('reboot');
  });

  it('ends the boot of an uncommitted slot, even if nothing was armed', async () => {
    await runIn('B');
    run(selector, 'early');
    expect(run(selector, 'show')).toMatch(/^pending=$/m);
    run(join(libexec, 'trial-guard'));
    expect(await calls()).toContain('reboot');
  });

  it.each([
    ['ends first, if the product says so to its end', 60, 60],
    ['of a product that hangs is not waited for', 10, 21],
  ])('a take that runs at the deadline %s', async (_what, touches, expected) => {
    await runIn('B');
    run(selector, 'early');
    await mkdir(join(root, 'ota'));
    const [note, slept] = [join(root, 'ota/trial-take'), join(root, 'slept')];
    // Five seconds pass each time. A take that ends takes the note away; a product that hangs leaves it.
    const goes = touches === expected ? `rm -f ${note}` : ':';
    const sleep = `echo >> ${slept}; n=$(wc -l < ${slept}); if [ $n -lt ${touches} ]; then echo $n > ${note}; else ${goes}; fi`;
    await writeFile(join(root, 'bin/sleep'), `#!/bin/sh\n${sleep}\n`);
    run(join(libexec, 'trial-guard'));
    expect((await readFile(slept, 'utf8')).length).toBe(expected);
    expect(await calls()).toContain('reboot');
  });

  it('ends one whose reason cannot be written', async () => {
    await runIn('A');
    run(selector, 'set-primary', 'B');
    await runIn('B');
    run(selector, 'early');
    // Simulates a full disk, or one that became read-only.
    await writeFile(join(root, 'ota'), '');
    run(join(libexec, 'trial-guard'));
    expect(run(selector, 'show')).toMatch(/^b=bad$/m);
    expect(await calls()).toContain('reboot');
  });

  it('ends one that cannot read the config partition and so could never commit', async () => {
    await runIn('A');
    run(selector, 'set-primary', 'B');
    await runIn('B');
    run(selector, 'early');
    await rm(join(root, 'config/autoboot.txt'));
    run(join(libexec, 'trial-guard'));
    expect(await calls()).toContain('reboot');
  });

  it('spares an unarmed slot if the committed one is unknown', async () => {
    await runIn('A');
    await rm(join(root, 'config/autoboot.txt'));
    run(join(libexec, 'trial-guard'));
    expect(await calls()).toBe('');
  });

  it('spares the committed slot', async () => {
    await runIn('A');
    run(selector, 'early');
    run(join(libexec, 'trial-guard'));
    expect(await calls()).toBe('');
    expect(await readFileOrNull(join(root, 'ota/trial-guard.log'))).toBeNull();
  });
});
