import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diskObstacle, freeBytesFor, lacksFiles } from './disk.ts';

test('reports the space of the disk on which a missing folder will lie', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-disk-'));
  try {
    expect(await freeBytesFor(join(folder, 'takes', 'deeper'))).toBeGreaterThan(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a file system without free inodes is full; one that creates them on demand is not', () => {
  expect(lacksFiles({ files: 1_000_000, ffree: 900_000 })).toBe(false);
  expect(lacksFiles({ files: 1_000_000, ffree: 3 })).toBe(true);
  expect(lacksFiles({ files: 0, ffree: 0 })).toBe(false);
});

const namespace = ['--user', '--map-root-user', '--mount'];
const mayMount = spawnSync('unshare', [...namespace, 'true']).status === 0;

test.skipIf(!mayMount).each([
  ['size=1m', 'mount -o remount,ro "$1"', 'can only be read: it is write-protected'],
  ['size=1m,nr_inodes=20', 'true', 'has no room for more files'],
  ['size=64m', 'true', 'null'],
])('a disk mounted with %s (then: %s) is said to be what it is', async (options, then, said) => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-disk-'));
  try {
    const modules = {
      disk: join(import.meta.dirname, 'disk.ts'),
      masters: join(import.meta.dirname, '..', 'index.ts'),
    };
    const ask = `
      import { diskObstacle } from '${modules.disk}';
      import { Masters, TakeStore } from '${modules.masters}';
      const root = process.argv[1] + '/takes';
      const masters = new Masters({
        store: new TakeStore({ roots: () => [root] }),
        settings: () => ({ codec: 'ffv1', strategy: 'direct', reserveBytes: 1 }),
        cameras: () => [{ camera: 'cam0', raw: {} }],
        speed: { known: async () => { throw new Error('null'); } },
      });
      console.log(await diskObstacle(root));
      await masters.start('take', null).catch(({ message, code }) => console.log(code, message));
    `;
    const script = `mount -t tmpfs -o ${options} none "$1" && ${then} && exec "$2" --input-type=module -e "$3" "$1"`;
    const argv = [...namespace, 'sh', '-c', script, 'sh', folder, process.execPath, ask];
    const { stdout } = spawnSync('unshare', argv, { encoding: 'utf8' });
    const [obstacle, start] = stdout.split('\n');
    expect(obstacle).toContain(said);
    expect(start).toContain(said);
    expect(start).not.toContain('mkdir');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a folder that cannot be created because a file is in its place is an obstacle', async () => {
  expect(await diskObstacle(join(import.meta.filename, 'takes'))).toContain('has a file where');
  expect(await diskObstacle(tmpdir())).toBeNull();
});
