import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readKeptData, whyNotKept } from './kept-data.ts';

/** As the service sees them on the image (systemd 257): all is read-only but its own folder. */
const mounts = (options: string) =>
  [
    '/dev/vda5 / squashfs ro,relatime,errors=continue 0 0',
    'tmpfs /run tmpfs ro,nosuid,nodev 0 0',
    '/dev/vda7 /data ext4 ro,nosuid,nodev,noatime,errors=remount-ro 0 0',
    `/dev/vda7 /data/rushlight ext4 ${options} 0 0`,
    'tmpfs /data/rushlight-else tmpfs ro 0 0',
    '',
  ].join('\n');

test('a writable folder keeps data, whatever is around it', () => {
  expect(whyNotKept('/data/rushlight', mounts('rw,nosuid,nodev,noatime'), null)).toBeNull();
  expect(whyNotKept('/data/rushlight', '', null)).toBeNull();
});

test.each(['ro,nosuid,nodev', 'rw,noatime,emergency_ro'])(
  'reports a disk that has stopped (%s)',
  (options) => {
    expect(whyNotKept('/data/rushlight', mounts(options), null)).toMatch(/no writes.*Restart/);
  },
);

test('reports what the storage service had to do, and what to do next', async () => {
  const root = mkdtempSync(join(tmpdir(), 'rushlight-kept-'));
  const files = { folder: '/data/rushlight', mounts: join(root, 'mounts'), note: join(root, 'note') };
  writeFileSync(files.mounts, mounts('rw'));
  expect(await readKeptData(files)).toBeNull();
  writeFileSync(
    files.note,
    'The data partition of the card cannot be used (it could not be mounted). Nothing on it could be read.\n',
  );
  expect(await readKeptData(files)).toMatch(
    /^The data partition.*could not be mounted.*gone after a restart/,
  );
  rmSync(root, { recursive: true });
});
