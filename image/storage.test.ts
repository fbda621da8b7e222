import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = join(import.meta.dirname, '../overlays/rootfs/usr/libexec/rushlight/storage');
let root: string;
const at = (...names: string[]) => join(root, ...names);

/** The partition and what mounts it are played; what is copied out of it is copied by the real find and tar. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rushlight-storage-'));
  for (const folder of ['bin', 'data', 'run', 'card/rushlight/takes/old', 'card/system/selector']) {
    mkdirSync(at(folder), { recursive: true });
  }
  writeFileSync(at('card/rushlight/keys.json'), '{"keys":[]}', { mode: 0o600 });
  writeFileSync(at('card/rushlight/takes/old/take.json'), '{}');
  writeFileSync(at('card/rushlight/large'), Buffer.alloc(2 * 1024 * 1024));
  writeFileSync(at('card/system/selector/state'), 'rushlight-selector 1');
  writeFileSync(at('type'), '83');
  const programs = {
    readlink: 'echo /dev/played7',
    blockdev: 'echo 0',
    cat: 'echo 0',
    partx: ':',
    e2fsck: ':',
    sync: ':',
    resize2fs: ':',
    umount: ':',
    install: 'for folder; do :; done; mkdir -p "$folder"',
    'mkfs.ext4': `echo formatted >> ${at('log')}; [ ! -e ${at('no-format')} ]`,
    sfdisk: `if [ $# = 8 ]; then echo "$8" > ${at('type')}; else head -c 2 ${at('type')}; fi`,
    mount: `case "$*" in
*ro,noload*) [ ! -e ${at('unreadable')} ] && cp -a ${at('card')}/. ${at('run/rushlight-old-data')}/ ;;
*--bind*) ;;
*tmpfs*) echo memory >> ${at('log')} ;;
*) [ ! -e ${at('no-mount')} ] && echo card >> ${at('log')} ;;
esac`,
  };
  for (const [name, does] of Object.entries(programs)) {
    writeFileSync(at('bin', name), `#!/bin/sh\n${does}\n`);
    chmodSync(at('bin', name), 0o755);
  }
});
afterEach(() => rmSync(root, { recursive: true }));

const bringUp = () =>
  execFileSync(script, {
    env: { PATH: `${at('bin')}:${process.env.PATH}`, RUSHLIGHT_ROOT: root },
    stdio: 'pipe',
  });
const log = () => readFileSync(at('log'), 'utf8').trim().split('\n');
const note = () => readFileSync(at('run/rushlight-data-in-memory'), 'utf8');

test('mounts a partition in use and formats a factory-fresh one once', () => {
  bringUp();
  expect(log()).toEqual(['card']);
  writeFileSync(at('type'), 'da');
  bringUp();
  bringUp();
  expect(log()).toEqual(['card', 'formatted', 'card', 'card']);
  expect(existsSync(at('run/rushlight-data-in-memory'))).toBe(false);
});

test('runs from memory with its own settings and keys if the partition cannot be mounted', () => {
  writeFileSync(at('no-mount'), '');
  bringUp();
  expect(log()).toEqual(['memory']);
  expect(readFileSync(at('data/rushlight/keys.json'), 'utf8')).toBe('{"keys":[]}');
  expect(existsSync(at('data/system/selector/state'))).toBe(true);
  expect(existsSync(at('data/rushlight/takes'))).toBe(false);
  expect(existsSync(at('data/rushlight/large'))).toBe(false);
  expect(note()).toBe(
    'The data partition of the card cannot be used (it could not be mounted). Its settings and keys could be read and are used.\n',
  );
});

test('starts even if the partition is read-only or unreadable', () => {
  rmSync(at('data'), { recursive: true });
  writeFileSync(at('unreadable'), '');
  bringUp();
  expect(log()).toEqual(['card', 'memory']);
  expect(note()).toMatch(/could not be written to.*Nothing on it could be read/);
});

test('starts even if the card cannot be formatted', () => {
  writeFileSync(at('type'), 'da');
  writeFileSync(at('no-format'), '');
  bringUp();
  expect(log()).toEqual(['formatted', 'memory']);
  expect(readFileSync(at('type'), 'utf8')).toBe('da');
});
