import { expect, test } from 'vitest';
import { mountOf, mounts, parseMounts } from './mounts.ts';

/** A Raspberry Pi with an SSD, Debian 13. */
const table = parseMounts(`/dev/mmcblk0p5 / ext4 ro,relatime 0 0
tmpfs /run tmpfs rw,nosuid,nodev 0 0
/dev/mmcblk0p7 /data ext4 rw,noatime 0 0
/dev/sda1 /data/ssd ext4 rw,nosuid 0 0
/dev/sdb1 /media/my\\040disk exfat rw 0 0
`);

test('finds the file system of a path', () => {
  expect(mountOf('/data/ssd/takes/one/take.json', table)?.path).toBe('/data/ssd');
  expect(mountOf('/data/ssd', table)?.path).toBe('/data/ssd');
  expect(mountOf('/data/ssd2/takes', table)?.path).toBe('/data');
  expect(mountOf('/media/my disk/takes', table)?.path).toBe('/media/my disk');
  expect(mountOf('/usr/bin', table)?.path).toBe('/');
  expect(mountOf('/usr/bin', [])).toBeNull();
});

test('reads what is mounted here', () => {
  expect(mountOf('/proc/self', mounts())?.path).toBe('/proc');
  expect(mounts().find(({ path }) => path === '/proc')).toMatchObject({ type: 'proc' });
});
