import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';
import { BundleServer } from '../update/bundle-server.ts';
import { BundleKitchen, type Variant } from '../update/bundles.ts';
import { PictureGap } from '../update/picture-gap.ts';
import { showCamera } from './media.ts';

const image =
  process.env.RUSHLIGHT_UPDATE_IMAGE ?? join(import.meta.dirname, '../../image/out/virt-amd64/disk.img');
const minute = 60_000;
/** The rig's own machine, as a guest on QEMU's user network sees it. */
const rigAddress = '10.0.2.2';
/** The guard's deadline is ten minutes; a bundle may bring another one. */
const shortDeadline = 'systemd.setenv=TRIAL_DEADLINE_S=240';

type Update = Awaited<ReturnType<typeof updateOf>>;
const updateOf = ({ api, rig }: TestContext) => api.json('getUpdate', { timeoutMs: 5_000 * rig.slowness });

/** Asks for an installation and waits for how it ends; notes how long its stages took. */
async function update(context: TestContext, url: string, done: (update: Update) => boolean): Promise<Update> {
  const { api, rig, note, signal } = context;
  const startedAt = Date.now();
  const starts = rig.starts?.length ?? 0;
  const seconds = () => ((Date.now() - startedAt) / 1000).toFixed(0);
  await api.json('installUpdate', { body: { url, force: false, allowDowngrade: false } });
  let told = '';
  const end = await waitFor(
    'the end of the update',
    async () => {
      const now = await updateOf(context);
      if (now.state !== told) note(`${seconds()} s: ${now.state}`);
      told = now.state;
      return done(now) ? now : undefined;
    },
    { timeoutMs: 20 * minute * rig.slowness, pollMs: 2_000, signal },
  );
  for (const { name, at, ok, detail } of end.lastAttempt?.stages ?? [])
    note(`${at} ${ok ? '✓' : '✗'} ${name}${detail === null ? '' : `: ${detail}`}`);
  const used = rig.starts
    ?.slice(starts)
    .map(({ partition, tryboot }) => `${partition}${tryboot ? ' (trial)' : ''}`);
  note(`${seconds()} s from the request to the end; starts: ${used?.join(', ')}`);
  return end;
}

/** Makes a bundle and serves it while the task runs. */
async function withBundle(
  variant: Variant,
  task: (url: string, server: BundleServer, bytes: number) => Promise<void>,
): Promise<void> {
  await using kitchen = new BundleKitchen(dirname(image));
  const bundle = await kitchen.make(variant);
  await using server = new BundleServer((path) => (path === '/next.raucb' ? bundle : null));
  const port = await server.listen();
  await task(`http://${rigAddress}:${port}/next.raucb`, server, (await stat(bundle)).size);
}

/** A bundle that must not survive its trial, and the word it must leave. */
function sabotage(name: string, variant: Variant, reason: RegExp): TestCase {
  return {
    name: `update: ${name} rolls back`,
    selection: 'long',
    needs: 'booted',
    timeoutMs: 8 * minute,
    run: (context) =>
      withBundle(variant, async (url) => {
        await showCamera(context);
        const before = await updateOf(context);
        const end = await update(context, url, ({ state, installedVersion, lastAttempt }) => {
          const closed = lastAttempt?.outcome !== null && lastAttempt?.at !== before.lastAttempt?.at;
          return state === 'rolled-back' && installedVersion === before.installedVersion && closed;
        });
        context.note(`${end.lastAttempt?.outcome}: ${end.lastAttempt?.reason}`);
        assert.equal(end.lastAttempt?.outcome, 'rolled-back');
        assert.match(end.lastAttempt?.reason ?? '', reason);
        assert.deepEqual(
          end.slots.map(({ name: slot, booted }) => [slot, booted]),
          before.slots.map(({ name: slot, booted }) => [slot, booted]),
        );
      }),
  };
}

const mebibytes = (bytes: number): string => `${(bytes / 1048576).toFixed(1)} MiB`;

/** Who runs where, and what the selector holds: what a refusal must leave alone. */
const selectorOf = ({ rig }: TestContext) =>
  rig.network.shell('cat /boot/rushlight/autoboot.txt; /usr/libexec/rushlight/selector show');

/** An update or a way back, watched from outside: how long nobody had a picture, and what was written. */
async function watched(context: TestContext, task: () => Promise<void>): Promise<void> {
  const { note, rig, signal } = context;
  await using gap = PictureGap.watch(context, 'cam0');
  await waitFor('a first picture', () => gap.hasPictures, { timeoutMs: minute * rig.slowness, signal });
  await task();
  await waitFor('a picture again', () => gap.isLive, { timeoutMs: minute * rig.slowness, signal });
  note(`longest time without a picture for a viewer outside: ${(gap.longestMs / 1000).toFixed(1)} s`);
}

const committed = (version: string) => (now: Update) =>
  now.state === 'idle' && now.installedVersion === version && now.lastAttempt?.outcome === 'committed';

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
      const { rig, api, note, signal } = context;
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
        await api.json('rollbackUpdate', { body: {} });
        await waitFor('slot A, committed', async () => committed(before)(await updateOf(context)), {
          timeoutMs: 10 * minute * rig.slowness,
          pollMs: 2_000,
          signal,
        });
      });
      await rig.network.shell('test ! -e /etc/update-mark');
    },
  },
  sabotage('an emergency', { version: '9.0.0', cmdline: 'systemd.unit=emergency.target' }, /did not come up/),
  sabotage('a kernel panic', { version: '9.0.1', cmdline: 'init=/bin/false' }, /did not come up/),
  // Every Node.js program ends at once; nothing but the guard is left to end the trial.
  sabotage(
    'a supervisor that crashes',
    { version: '9.0.2', cmdline: `systemd.setenv=NODE_OPTIONS=--sabotage ${shortDeadline}` },
    /did not end within 240 s/,
  ),
  sabotage(
    'a start that hangs',
    { version: '9.0.3', cmdline: `systemd.unit=sysinit.target ${shortDeadline}` },
    /did not end within 240 s/,
  ),
  // Node.js answers every request with status 431.
  sabotage(
    'a page that is dead',
    { version: '9.0.4', cmdline: 'systemd.setenv=NODE_OPTIONS=--max-http-header-size=1' },
    /the page does not answer/,
  ),
  sabotage(
    'a system without its camera driver',
    { version: '9.0.5', cmdline: 'module_blacklist=vivid' },
    /no frames from cam0/,
  ),
  {
    name: 'update: a slot that broke after its commit is repaired by the other one',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 6 * minute,
    uses: ['starts'],
    run: repair,
  },
];

/** Bundles and servers that must be refused with a reason, while the selector stays as it is. */
async function refusals(context: TestContext): Promise<void> {
  const { api, rig, note, signal } = context;
  await using kitchen = new BundleKitchen(dirname(image));
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

/** Overwrites the committed slot's root; three starts that come to nothing, and the other slot takes over. */
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
