import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareVersions } from '../version.ts';

const device = join(import.meta.dirname, '../../overlays/rootfs/usr/libexec/rushlight');
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'handlers-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (program: string, args: string[], env: Record<string, string>) => {
  const { status, stdout, stderr } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};

describe('the check before a slot is written', () => {
  async function judge(release: string | null, installed: string, leave: string | null = null) {
    if (release === null) await rm(join(folder, 'release'), { force: true });
    else await writeFile(join(folder, 'release'), release);
    await writeFile(
      join(folder, 'package.json'),
      `{\n  "name": "rushlight",\n  "version": "${installed}"\n}\n`,
    );
    if (leave !== null) await writeFile(join(folder, 'leave'), leave);
    return run(join(device, 'rauc-pre-install'), [], {
      RAUC_BUNDLE_MOUNT_POINT: folder,
      RUSHLIGHT_PACKAGE: join(folder, 'package.json'),
      RUSHLIGHT_ALLOW_DOWNGRADE: join(folder, 'leave'),
    }).status;
  }

  it('admits newer and equal versions, and older ones only with permission', async () => {
    expect(await judge('VERSION=1.1.0\nMINIMUM_VERSION=\n', '1.0.0')).toBe(0);
    expect(await judge('VERSION=1.0.0\nMINIMUM_VERSION=\n', '1.0.0')).toBe(0);
    expect(await judge('VERSION=0.9.0\nMINIMUM_VERSION=\n', '1.0.0')).toBe(10);
    expect(await judge('VERSION=0.9.0\nMINIMUM_VERSION=\n', '1.0.0', '0.8.0')).toBe(10);
    expect(await judge('VERSION=0.9.0\nMINIMUM_VERSION=\n', '1.0.0', '0.9.0')).toBe(0);
    expect(await judge('VERSION=0.7.0\nMINIMUM_VERSION=\n', '1.0.0', '*')).toBe(0);
  });

  it('requires the intermediate step', async () => {
    expect(await judge('VERSION=3.0.0\nMINIMUM_VERSION=2.0.0\n', '1.9.9')).toBe(11);
    expect(await judge('VERSION=3.0.0\nMINIMUM_VERSION=2.0.0\n', '2.0.0')).toBe(0);
  });

  it('rejects a bundle without a release', async () => {
    expect(await judge(null, '1.0.0')).toBe(13);
    expect(await judge('nothing\n', '1.0.0')).toBe(13);
  });

  it('orders versions as the product does', async () => {
    const versions = [
      '0.9.9',
      '1.0.0-alpha.1',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
      '1.0.10',
      '1.2.0',
    ];
    for (const a of versions) {
      for (const b of versions) {
        const status = await judge(`VERSION=${a}\nMINIMUM_VERSION=\n`, b);
        expect(status, `${a} over ${b}`).toBe(compareVersions(a, b) < 0 ? 10 : 0);
      }
    }
  });
});

describe("the boot slot's command line", () => {
  const cmdline = 'console=ttyS0,115200 root=PARTUUID=52534c54-05 rootfstype=squashfs ro rauc.slot=A quiet\n';

  it.each([
    ['boot.0', '52534c54-05', 'A'],
    ['boot.1', '52534c54-06', 'B'],
  ])('names the root and the slot of %s', async (slot, root, name) => {
    await mkdir(join(folder, 'boot'));
    await writeFile(join(folder, 'boot/cmdline.txt'), cmdline);
    const env = {
      RAUC_SLOT_CLASS: 'boot',
      RAUC_SLOT_NAME: slot,
      RAUC_SLOT_MOUNT_POINT: join(folder, 'boot'),
    };
    expect(run(join(import.meta.dirname, 'slot-hook'), ['slot-post-install'], env).status).toBe(0);
    const text = await readFile(join(folder, 'boot/cmdline.txt'), 'utf8');
    expect(text).toBe(cmdline.replace('52534c54-05', root).replace('slot=A', `slot=${name}`));
  });

  it('stops the installation if there is nothing to name', async () => {
    await writeFile(join(folder, 'cmdline.txt'), 'quiet\n');
    const env = { RAUC_SLOT_CLASS: 'boot', RAUC_SLOT_NAME: 'boot.1', RAUC_SLOT_MOUNT_POINT: folder };
    expect(run(join(import.meta.dirname, 'slot-hook'), ['slot-post-install'], env).status).toBe(1);
    expect(await readFile(join(folder, 'cmdline.txt'), 'utf8')).toBe('quiet\n');
    expect(
      run(join(import.meta.dirname, 'slot-hook'), ['slot-post-install'], { ...env, RAUC_SLOT_NAME: 'x.9' })
        .status,
    ).toBe(1);
  });

  it('is not touched by the root slot', () => {
    expect(
      run(join(import.meta.dirname, 'slot-hook'), ['slot-post-install'], { RAUC_SLOT_CLASS: 'rootfs' })
        .status,
    ).toBe(0);
  });
});
