import assert from 'node:assert/strict';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';
import { BundleServer } from '../update/bundle-server.ts';
import type { Variant } from '../update/bundles.ts';
import { PictureGap } from '../update/picture-gap.ts';
import {
  committed,
  goBack,
  mebibytes,
  minute,
  openKitchen,
  rigAddress,
  selectorOf,
  update,
  updateOf,
  withBundle,
} from '../update/update-run.ts';
import { showCamera } from './media.ts';

/** An update or a rollback, watched from outside: how long viewers had no picture, and what was written. */
async function watched(context: TestContext, task: () => Promise<void>): Promise<void> {
  const { note, rig, signal } = context;
  await using gap = PictureGap.watch(context, 'cam0');
  await waitFor('a first picture', () => gap.hasPictures, { timeoutMs: minute * rig.slowness, signal });
  await task();
  await waitFor('a picture again', () => gap.isLive, { timeoutMs: minute * rig.slowness, signal });
  note(`longest time without a picture for a viewer outside: ${(gap.longestMs / 1000).toFixed(1)} s`);
}

/** Tests of updates. */
export const updateTests: readonly TestCase[] = [
  {
    name: 'update: what must be refused is refused, and nothing changes',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 5 * minute,
    run: refusals,
  },
  {
    name: 'update: A to B, streamed and committed, and back to A',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 15 * minute,
    run: async (context) => {
      const { rig, note } = context;
      const before = (await updateOf(context)).installedVersion;
      await showCamera(context);
      const variant: Variant = { version: '0.2.0', root: 'echo new > etc/update-mark' };
      await withBundle(variant, async (url, server, bytes) => {
        server.sentBytes = 0;
        await watched(context, async () => {
          const end = await update(context, url, committed(variant.version));
          assert.equal(end.slots.find(({ booted }) => booted)?.name, 'B');
          assert.equal((await rig.network.shell('cat /etc/update-mark')).trim(), 'new');
        });
        note(
          `bundle ${mebibytes(bytes)}, ${mebibytes(server.sentBytes)} travelled in ${server.requests} requests`,
        );
      });
      await watched(context, async () => {
        const end = await goBack(context, committed(before));
        assert.equal(end.slots.find(({ booted }) => booted)?.name, 'A');
      });
      await rig.network.shell('test ! -e /etc/update-mark');
    },
  },
  {
    name: 'update: a slot that broke after its commit is repaired by the other one',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 6 * minute,
    uses: ['starts'],
    run: repair,
  },
];

/** Bundles and servers that must be rejected with a reason, while the selector stays unchanged. */
async function refusals(context: TestContext): Promise<void> {
  const { api, rig, note, signal } = context;
  await using kitchen = openKitchen();
  const bundles = new Map<string, string>();
  await using server = new BundleServer((path) => bundles.get(path.slice(1)) ?? null);
  const base = `http://${rigAddress}:${await server.listen()}`;
  const before = await selectorOf(context);
  const refused = async (name: string, reason: RegExp) => {
    const at = (await updateOf(context)).lastAttempt?.at;
    server.requests = 0;
    await api.json('installUpdate', {
      body: { url: `${base}/${name}`, force: false, allowDowngrade: false },
    });
    const end = await waitFor(
      `the refusal of ${name}`,
      async () => {
        const now = await updateOf(context);
        return now.state === 'idle' && now.lastAttempt?.at !== at ? now : undefined;
      },
      { timeoutMs: 4 * minute * rig.slowness, signal },
    );
    note(`${name}: ${end.lastAttempt?.outcome}: ${end.lastAttempt?.reason}`);
    assert.match(end.lastAttempt?.reason ?? '', reason);
    assert.equal(end.installedVersion, '0.1.0');
  };
  bundles.set('good', await kitchen.make({ version: '9.1.0' }));
  bundles.set('older', await kitchen.make({ version: '0.0.1' }));
  bundles.set(
    'other-board',
    await kitchen.make({ version: '9.1.1', compatible: 'rushlight-raspberrypi-arm64' }),
  );
  bundles.set('stranger', await kitchen.make({ version: '9.1.2', keys: await kitchen.strangersKeys() }));
  await refused('nothing', /the server has no such bundle/);
  await refused('older', /older than/);
  await refused('other-board', /another kind of machine/);
  await refused('stranger', /not signed by a key/);
  assert.equal(await selectorOf(context), before);
  server.manners = 'no-range';
  await refused('good', /Range/);
  server.manners = 'stalls';
  await refused('good', /nothing arrived|could not be downloaded/);
  assert.equal((await updateOf(context)).slots.find(({ booted }) => booted)?.state, 'good');
}

/** Overwrites the committed slot's root; three starts fail, and the other slot takes over. */
async function repair(context: TestContext): Promise<void> {
  const { rig, note, ready, signal } = context;
  const before = await updateOf(context);
  const [booted, other] = [
    before.slots.find((slot) => slot.booted),
    before.slots.find((slot) => !slot.booted),
  ];
  assert.ok(booted !== undefined && other !== undefined);
  assert.equal(other.state, 'good', `slot ${other.name} has to have proved itself, by an update before`);
  const part = booted.name === 'A' ? '05' : '06';
  const starts = rig.starts?.length ?? 0;
  // The file system's superblock and tables: the kernel finds no root any more.
  const device = `/dev/disk/by-partuuid/52534c54-${part}`;
  await rig.network.shell(
    `(sleep 2; dd if=/dev/zero of=${device} bs=1M count=8 conv=fsync; systemctl --force --force reboot) > /dev/null 2>&1 &`,
  );
  await rig.network.forget();
  await waitFor('the first start', () => (rig.starts?.length ?? 0) > starts, {
    timeoutMs: 2 * minute * rig.slowness,
    signal,
  });
  note(`ready ${(await ready()).toFixed(0)} s after the slot broke`);
  const used = rig.starts?.slice(starts).map(({ partition }) => partition) ?? [];
  note(`starts from then on: partitions ${used.join(', ')}`);
  const now = await updateOf(context);
  assert.equal(now.slots.find((slot) => slot.booted)?.name, other.name);
  assert.match(await selectorOf(context), new RegExp(`note=repaired-${other.name}`));
}
