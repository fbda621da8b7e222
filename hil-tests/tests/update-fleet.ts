import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { cardConfig } from '../lib/config.ts';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';
import { BundleKitchen, type Variant } from '../update/bundles.ts';
import { adopt, type FleetCamera, startCamera } from '../update/fleet.ts';
import { ReleaseFolder } from '../update/release-folder.ts';

const image =
  process.env.RUSHLIGHT_UPDATE_IMAGE ?? join(import.meta.dirname, '../../image/out/virt-amd64/disk.img');
const minute = 60_000;
/** The rig's own machine, as a guest on QEMU's user network sees it. */
const rigAddress = '10.0.2.2';
const names = ['left', 'middle', 'right'] as const;
const good = { version: '9.0.0', root: 'echo fleet > etc/update-mark' };
const bad = { version: '9.1.0', cmdline: 'module_blacklist=vivid' };

type Rollout = Awaited<ReturnType<typeof rolloutOf>>;
const rolloutOf = ({ api, rig }: TestContext) => api.json('getRollout', { timeoutMs: 5_000 * rig.slowness });

/** Begins a rollout and follows it to its end: who was updated, in order, never two at once. */
async function rollOut(context: TestContext, version: string): Promise<{ order: string[]; end: Rollout }> {
  const { api, rig, note, signal } = context;
  const startedAt = Date.now();
  const canary = (await rolloutOf(context)).members.find(({ name }) => name === 'middle')?.id;
  assert.ok(canary !== undefined);
  await api.json('startRollout', { body: { version, canary }, timeoutMs: minute * rig.slowness });
  const order: string[] = [];
  let mostAtOnce = 0;
  const end = await waitFor(
    'the end of the rollout',
    async () => {
      const now = await rolloutOf(context);
      const updating = now.members.filter(({ state }) => state === 'updating').map(({ name }) => name);
      mostAtOnce = Math.max(mostAtOnce, updating.length);
      const [name] = updating;
      if (name !== undefined && order.at(-1) !== name) {
        order.push(name);
        note(`${((Date.now() - startedAt) / 1000).toFixed(0)} s: ${name}`);
      }
      return now.phase !== 'running' && now;
    },
    { timeoutMs: 60 * minute * rig.slowness, pollMs: 3_000, signal },
  );
  note(
    `${((Date.now() - startedAt) / 1000).toFixed(0)} s: ${end.phase}${end.reason === null ? '' : `: ${end.reason}`}`,
  );
  assert.equal(mostAtOnce, 1, 'one at a time');
  return { order, end };
}

const trialsOf = ({ rig }: FleetCamera) => rig.starts?.filter(({ tryboot }) => tryboot).length;

/** A hub and its three cameras, and the source of its releases. */
interface Fleet {
  readonly cameras: readonly FleetCamera[];
  readonly releases: ReleaseFolder;
  /** The release that is published. */
  readonly bundle: string;
}

/**
 * Publishes a release, starts the hub and three cameras, which find it and are adopted; then runs the task. Reports the state
 * of the cameras if that fails.
 */
async function withFleet(
  context: TestContext,
  release: Variant,
  task: (fleet: Fleet) => Promise<void>,
): Promise<void> {
  const { rig, note, ready, signal } = context;
  await using kitchen = new BundleKitchen(dirname(image));
  await using releases = await ReleaseFolder.open(rigAddress);
  const bundle = await kitchen.make(release);
  await releases.publish(bundle, release.version);
  const more = `[update]\nurl = "${releases.url}"\n`;
  const card = cardConfig({ name: 'stage', header: false, more });
  await rig.storage.writeCard('rushlight.toml', card);
  await rig.power.on();
  await ready();
  const neighbourhood = await rig.neighbours?.open(names.length);
  assert.ok(neighbourhood !== undefined);
  await using _closing = neighbourhood;
  const cameras: FleetCamera[] = [];
  try {
    // One after the other: together they would starve each other on the rig's few processors.
    for (const [index, neighbour] of neighbourhood.rigs.entries()) {
      const camera = await startCamera(neighbour, names[index] ?? '', signal);
      note(`${camera.name} is ready`);
      await adopt(context, camera);
      cameras.push(camera);
    }
    note('three cameras found the hub by mDNS, were adopted, and their pictures are on it');
    await task({ cameras, releases, bundle });
  } catch (error) {
    for (const { name, rig: own } of cameras) {
      const starts = own.starts
        ?.map(({ partition, ended }) => `${partition} (${ended ?? 'runs'})`)
        .join(', ');
      note(`${name}: starts ${starts}; the end of its console:\n${own.console.log.slice(-2_000)}`);
    }
    throw error;
  }
}

async function goodRelease(context: TestContext): Promise<void> {
  const { api, rig, note, signal } = context;
  await withFleet(context, good, async ({ cameras, releases, bundle }) => {
    const done = await rollOut(context, good.version);
    assert.equal(done.end.phase, 'done');
    assert.deepEqual(done.order, ['middle', 'left', 'right', 'stage']);
    for (const { name, api: own } of [...cameras, { name: 'stage', api }]) {
      // Four machines on few processors: one may be slow to answer, or be starting.
      const tell = () => own.json('getUpdate');
      const update = await waitFor(`${name} tells`, tell, { timeoutMs: 5 * minute * rig.slowness, signal });
      assert.equal(update.installedVersion, good.version, name);
      assert.equal(update.lastAttempt?.outcome, 'committed', name);
    }
    await sentOnce(releases, bundle, note);
  });
}

async function badCanary(context: TestContext): Promise<void> {
  await withFleet(context, bad, async ({ cameras, releases, bundle }) => {
    const halted = await rollOut(context, bad.version);
    assert.equal(halted.end.phase, 'halted');
    assert.match(halted.end.reason ?? '', /canary middle failed.*no frames from middle-cam/);
    assert.deepEqual(halted.order, ['middle']);
    assert.deepEqual(cameras.map(trialsOf), [0, 1, 0], 'nobody but the canary was touched');
    await sentOnce(releases, bundle, context.note);
  });
}

/** No matter how many machines have read it: the hub did, once, and passed it on to the others. */
async function sentOnce(releases: ReleaseFolder, bundle: string, note: TestContext['note']): Promise<void> {
  const sent = await releases.timesSent(bundle);
  note(`the release server sent the bundle ${sent.toFixed(3)} times`);
  assert.equal(sent, 1);
}

const common = {
  selection: 'long',
  needs: 'provisioning',
  uses: ['neighbours', 'starts', 'video'],
} as const satisfies Partial<TestCase>;

/** Tests of rollouts. */
export const updateFleetTests: readonly TestCase[] = [
  {
    ...common,
    name: 'update: a hub brings three cameras and itself to a release',
    timeoutMs: 90 * minute,
    run: goodRelease,
  },
  {
    ...common,
    name: 'update: a bad canary halts the rollout to a hub and three cameras',
    timeoutMs: 60 * minute,
    run: badCanary,
  },
];
