import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = join(import.meta.dirname, '../overlays/rootfs/usr/libexec/rushlight/name');
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-name-'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'hostname'), 'old\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs it on a machine whose avahi answers for this name; null: there is no avahi. Gives what avahi was called then. */
function run(wanted: string, avahi: string | null) {
  writeFileSync(join(folder, 'name'), wanted);
  const set = join(folder, 'set');
  rmSync(set, { force: true });
  const busctl = join(folder, 'bin/busctl');
  const answer = avahi === null ? 'exit 1' : `echo 's "${avahi}"'`;
  writeFileSync(
    busctl,
    `#!/bin/sh\ncase "$*" in *SetHostName*) shift 7; echo "$2" > '${set}' ;; *) ${answer} ;; esac\n`,
  );
  chmodSync(busctl, 0o755);
  const env = {
    ...process.env,
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    RUSHLIGHT_RUN: folder,
    RUSHLIGHT_HOSTNAME: join(folder, 'hostname'),
  };
  const { status } = spawnSync('sh', [script], { encoding: 'utf8', env });
  const read = (file: string) => readFileSync(file, 'utf8').trim();
  const called = spawnSync('test', ['-e', set]).status === 0 ? read(set) : null;
  return { status, hostname: read(join(folder, 'hostname')), called };
}

test('gives the machine and avahi the new name at once', () => {
  expect(run('stage-left\n', 'old')).toEqual({ status: 0, hostname: 'stage-left', called: 'stage-left' });
});

test('does not keep asking for a name that avahi numbered because another machine has it', () => {
  expect(run('stage\n', 'stage-2')).toEqual({ status: 0, hostname: 'stage', called: null });
  expect(run('stage\n', 'stage')).toEqual({ status: 0, hostname: 'stage', called: null });
});

test('asks for it once more on request of the product', () => {
  expect(run('stage\nagain\n', 'stage-2')).toEqual({ status: 0, hostname: 'stage', called: 'stage' });
  expect(run('stage\nagain\n', 'stage')).toEqual({ status: 0, hostname: 'stage', called: null });
});

test('sets the name even without avahi', () => {
  expect(run('stage\n', null)).toEqual({ status: 0, hostname: 'stage', called: null });
});

test.each(['', '-x', 'x-', 'a b', 'Stage', 'a\nb; reboot', '$(reboot)', 'x'.repeat(64), '\0\0'])(
  'rejects %j as a name, or uses only its first line',
  (wanted) => {
    const { hostname } = run(wanted, 'old');
    expect(['old', 'a']).toContain(hostname);
  },
);
