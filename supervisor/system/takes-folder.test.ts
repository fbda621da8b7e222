import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gateOf } from '../../common/disk-gate.ts';
import type { Config } from '../config/schema.ts';
import { TakesFolders } from './takes-folder.ts';

const settings = (path: string) => () => ({ path }) as Config['masters'];
const base = { configFile: '/boot/rushlight/rushlight.toml', fallback: '/data/rushlight/takes' };

test('uses a mounted disk', async () => {
  // Of this machine's mounts: a folder of its own device that can be written to.
  const folders = new TakesFolders({ ...base, settings: settings('auto'), ssd: '/dev/shm' });
  expect(folders.current().reason).toBe('the data partition: the SSD is being looked at');
  await folders.look();
  expect(folders.current()).toEqual({ path: '/dev/shm/takes', reason: 'the SSD' });
  expect(folders.all()).toEqual(['/dev/shm/takes', base.fallback]);
});

test('uses the data partition without a disk, not the empty mount point', () => {
  const mountPoint = mkdtempSync(join(tmpdir(), 'rushlight-ssd-'));
  try {
    for (const ssd of [mountPoint, join(mountPoint, 'missing')]) {
      const folders = new TakesFolders({ ...base, settings: settings('auto'), ssd });
      expect(folders.current()).toEqual({
        path: base.fallback,
        reason: 'the data partition: no SSD is mounted',
      });
      expect(folders.all()).toEqual([base.fallback]);
    }
  } finally {
    rmSync(mountPoint, { recursive: true });
  }
});

test('names a disk that is present but unusable', () => {
  const notes = mkdtempSync(join(tmpdir(), 'rushlight-disks-'));
  try {
    const folders = new TakesFolders({
      ...base,
      settings: settings('auto'),
      ssd: join(notes, 'missing'),
      notes,
    });
    expect(folders.current().reason).toBe('the data partition: no SSD is mounted');
    writeFileSync(join(notes, 'sda1'), 'sda1 holds ntfs; masters need ext4 or exFAT\n');
    expect(folders.current().reason).toBe('the data partition: sda1 holds ntfs; masters need ext4 or exFAT');
  } finally {
    rmSync(notes, { recursive: true });
  }
});

test.skipIf(process.getuid?.() === 0)('does not use a read-only disk, and says so', async () => {
  const folders = new TakesFolders({ ...base, settings: settings('auto'), ssd: '/proc' });
  await folders.look();
  expect(folders.current().reason).toBe('the data partition: the SSD cannot be written to');
});

test('does not use a disk that hangs, says so, and uses it again when it answers', async () => {
  const folders = new TakesFolders({ ...base, settings: settings('auto'), ssd: '/dev/shm' });
  await folders.look();
  const answer = Promise.withResolvers<void>();
  await expect(gateOf('/dev/shm').run(() => answer.promise, { patienceMs: 20 })).rejects.toThrow(
    'does not answer',
  );
  expect(folders.current()).toEqual({
    path: base.fallback,
    reason: 'the data partition: the SSD does not answer: check its plug and its power',
  });
  expect(folders.all()).toEqual([base.fallback]);
  answer.resolve();
  await expect.poll(() => folders.current().reason).toBe('the SSD');
});

test('the setting overrides both, from the next take on', () => {
  let path = '/media/ssd';
  const folders = new TakesFolders({
    ...base,
    settings: () => ({ path }) as Config['masters'],
    ssd: '/dev/shm',
  });
  expect(folders.current()).toEqual({ path: '/media/ssd/takes', reason: 'as set' });
  path = 'masters';
  expect(folders.all()).toEqual(['/boot/rushlight/masters/takes', base.fallback]);
});

test('uses no disk in the simulation', () => {
  const folders = new TakesFolders({ ...base, settings: settings('auto'), ssd: null });
  expect(folders.current()).toEqual({ path: base.fallback, reason: 'the data folder' });
});
