import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cameraSource, cardConfig, writeConfigCommand } from '../lib/config.ts';
import { runTool } from '../lib/run-tool.ts';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';
import { committed, minute, openKitchen, updateToOffer } from '../update/update-run.ts';
import { feedOnline, showCamera, view } from './media.ts';

const takeOf = ({ api }: TestContext, id: string) => api.json('getTake', { params: { id } });
const waitOf = ({ rig, signal }: TestContext) => ({ timeoutMs: minute * rig.slowness, signal });

/** Begins a take and waits for its first frames. */
async function record(context: TestContext): Promise<string> {
  const { id } = await context.api.json('startTake', { body: {} });
  const grows = async () => (await takeOf(context, id)).cameras.some(({ frames }) => frames >= 10);
  await waitFor(`frames of take ${id}`, grows, waitOf(context));
  return id;
}

async function finish(context: TestContext, id: string): Promise<void> {
  await context.api.json('stopTake', { params: { id } });
  const verified = async () => (await takeOf(context, id)).state === 'verified';
  await waitFor(`take ${id} is verified`, verified, waitOf(context));
}

/**
 * Pulls the second disk by unbinding it from its driver, like a plug that slips out; the returned function plugs it in again.
 */
async function pullDisk({ rig }: TestContext): Promise<() => Promise<void>> {
  const label = rig.storage.ssdLabel;
  const find = `basename "$(readlink -f "/sys/class/block/$(basename "$(readlink -f /dev/disk/by-label/${label})")/device")"`;
  const device = (await rig.network.shell(find)).trim();
  assert.match(device, /^virtio\d+$/);
  const drive = (action: 'bind' | 'unbind') =>
    rig.network.shell(`echo ${device} > /sys/bus/virtio/drivers/virtio_blk/${action}`);
  await drive('unbind');
  return async () => void (await drive('bind'));
}

/** A disk pulled in the middle of a take costs the end of that take, and nothing else. */
async function pulledDisk(context: TestContext): Promise<void> {
  const { rig, api, note } = context;
  await rig.network.shell(writeConfigCommand(), {
    input: cardConfig({ masters: 'auto', more: cameraSource }),
  });
  await feedOnline(context, 'cam0');
  const reason = async () => (await api.json('getStatus')).masters.reason;
  await waitFor('masters go to the SSD', async () => (await reason()) === 'the SSD', waitOf(context));

  await using viewer = await view(context, 'cam0');
  const lost = await record(context);
  const plug = await pullDisk(context);
  const pulledAt = Date.now();
  const failed = await waitFor(
    'the take has failed',
    async () => {
      const take = await takeOf(context, lost);
      return take.state === 'failed' && take;
    },
    waitOf(context),
  );
  note(
    `reported as failed ${((Date.now() - pulledAt) / 1000).toFixed(1)} s after the pull: ${failed.cameras[0]?.reason}`,
  );
  if (failed.stoppedAt === null) await api.json('stopTake', { params: { id: lost } });
  await waitFor('masters go elsewhere', async () => /data partition/.test(await reason()), waitOf(context));
  note(`then masters go to ${await reason()}`);
  await viewer.pictures(10, 20_000 * rig.slowness);
  await finish(context, await record(context));

  await plug();
  await waitFor('masters go to the SSD again', async () => (await reason()) === 'the SSD', waitOf(context));
  const after = await record(context);
  await finish(context, after);
  const ids = (await api.json('listTakes')).map(({ id }) => id);
  assert.ok(ids.includes(lost), 'what was recorded before the pull is listed again');
  const on = await rig.network.shell(`ls /media/ssd/takes; ls /data/rushlight/takes`);
  assert.match(on, new RegExp(`-${lost}[^]*-${after}`));
  const other = ids.find((id) => id !== lost && id !== after) ?? '';
  await api.call('deleteTake', { params: { id: other } });
  assert.doesNotMatch(await rig.network.shell('ls /data/rushlight/takes'), new RegExp(`-${other}`));
  const failedUnits = await rig.network.shell('systemctl --failed --no-legend --plain');
  assert.equal(failedUnits.trim(), '', 'no unit failed');
}

/** A file system with a feature that no kernel knows: readable but not writable, like that of a worn-out card. */
const unusable = 'FEATURE_R31';
const dataPart = '/dev/disk/by-partuuid/52534c54-07';

/** Restarts with the partition in exactly this state, without its file system noticing. */
async function restart({ rig, ready, note }: TestContext): Promise<void> {
  const since = rig.console.log.length;
  await rig.network.shell('(sleep 1; systemctl --force --force reboot) > /dev/null 2>&1 &');
  await rig.network.forget();
  await rig.console.expect(/reboot: Restarting system/, { timeoutMs: minute * rig.slowness, since });
  note(`ready ${(await ready()).toFixed(0)} s after the restart`);
}

/** A worn card does not prevent recording: the device runs from memory, as itself, and says so. */
async function wornCard(context: TestContext): Promise<void> {
  const { rig, api, note } = context;
  await showCamera(context);
  const household = () =>
    rig.network.shell(
      'cat /data/rushlight/owner-token /data/rushlight/keys.json /data/rushlight/tls-cert.pem | sha256sum',
    );
  const dataHealth = async () => {
    const { health } = await api.json('getStatus');
    return health.components.find(({ name }) => name === 'data');
  };
  const kept = await household();
  assert.equal((await dataHealth())?.state, 'ok');
  // The first block, with the superblock: writing it back repairs what is broken here.
  const block = await rig.network.shell(`sync; dd if=${dataPart} bs=4096 count=1 status=none | base64 -w 0`);
  await rig.network.shell(
    `debugfs -w -R "feature ${unusable}" ${dataPart}; blockdev --flushbufs ${dataPart}; sync`,
  );
  await restart(context);

  assert.match(await rig.network.shell('findmnt -n -o FSTYPE /data'), /tmpfs/);
  assert.equal(await household(), kept, 'owner, keys and identity are the same');
  const status = await waitFor(
    'the device says so',
    async () => {
      const found = await dataHealth();
      return found?.state === 'degraded' && found;
    },
    waitOf(context),
  );
  note(status.reason ?? '');
  assert.match(status.reason ?? '', /could not be mounted.*could be read/);
  assert.match(
    await rig.network.shell('systemctl --failed --no-legend --plain'),
    /^rushlight-data\.service .*\n$/,
  );
  await feedOnline(context, 'cam0');
  await finish(context, await record(context));

  await rig.network.shell(`base64 -d | dd of=${dataPart} bs=4096 conv=fsync status=none`, { input: block });
  await restart(context);
  assert.match(await rig.network.shell('findmnt -n -o FSTYPE /data'), /ext4/);
  assert.equal(await household(), kept);
  assert.equal((await rig.network.shell('systemctl --failed --no-legend --plain')).trim(), '');
}

/** A stick with FAT and a bundle: offered by itself, installed as if with the page's button, without a network. */
async function stick(context: TestContext): Promise<void> {
  const { rig, api, note } = context;
  const version = '9.3.0';
  await showCamera(context);
  await using kitchen = openKitchen();
  const bundle = await kitchen.make({ version, root: `echo ${version} > etc/update-mark` });
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-stick-'));
  try {
    const image = join(folder, 'stick.img');
    const bytes = (await stat(bundle)).size + 64 * 1024 * 1024;
    await runTool(['truncate', '-s', String(bytes), image]);
    await runTool(['mkfs.vfat', '-F', '32', '-n', 'RELEASE', image]);
    await runTool(['mcopy', '-i', image, bundle, `::/rushlight-${version}.raucb`], { timeoutMs: 300_000 });
    assert.ok(rig.usb);
    await using _plugged = await rig.usb.plug(image);
    const mounted = async () =>
      /vfat.*\bro\b/.test(await rig.network.shell('findmnt -n -o FSTYPE,OPTIONS /media/stick || true'));
    await waitFor('the stick is mounted', mounted, waitOf(context));
    const offered = await waitFor(
      'the bundle is offered',
      async () => {
        const now = await api.json('checkUpdate');
        return now.latestVersion === version && now;
      },
      waitOf(context),
    );
    note(`offered: ${offered.latestVersion}`);
    const masters = (await api.json('getStatus')).masters;
    assert.equal(masters.folder, '/media/ssd/takes', 'the stick is not taken for the disk of the masters');
    await updateToOffer(context, committed(version));
    assert.equal((await rig.network.shell('cat /etc/update-mark')).trim(), version);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Tests of disks. */
export const diskTests: readonly TestCase[] = [
  {
    name: 'a disk pulled in a take costs that take alone',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 5 * minute,
    uses: ['video'],
    run: pulledDisk,
  },
  {
    name: 'a worn card does not prevent recording',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 8 * minute,
    uses: ['video'],
    run: wornCard,
  },
  {
    name: 'update: from a stick, without a network',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 15 * minute,
    uses: ['usb'],
    run: stick,
  },
];
