import assert from 'node:assert/strict';
import { askAdoption, certificateOf, linkToHub } from '../lib/played-camera.ts';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';
import type { Variant } from '../update/bundles.ts';
import { committed, goBack, minute, update, updateOf, withBundle } from '../update/update-run.ts';
import { showCamera } from './media.ts';

const cameraId = 'cam-away';

/** What an owner has set up, and must find again. */
interface Household {
  readonly cameraToken: string;
  readonly crewToken: string;
}

const endpoint = ({ rig }: TestContext) => rig.network.endpoint('tcp', 443);
const bootedSlot = async (context: TestContext) =>
  (await updateOf(context)).slots.find(({ booted }) => booted)?.name;

/** Adopts a camera, gives the crew a key, and changes a setting on the page. */
async function setUp(context: TestContext): Promise<Household> {
  const { api, rig } = context;
  const tap = async () => {
    const waiting = (await api.json('listNewCameras')).find(({ id }) => id === cameraId);
    if (waiting === undefined) return undefined;
    return await api.json('adoptCamera', { params: { id: cameraId }, body: { code: waiting.code } });
  };
  const cameraToken = await askAdoption(endpoint(context), cameraId, tap, 30_000 * rig.slowness);
  const crew = await api.json('createKey', { body: { role: 'operator', subject: 'crew' } });
  await api.json('patchConfig', {
    body: { update: { window: '02:00-05:00' } },
    contentType: 'application/merge-patch+json',
  });
  return { cameraToken, crewToken: crew.token };
}

/** All of it that is visible from outside, and the files behind it. */
async function household(context: TestContext, { cameraToken, crewToken }: Household) {
  const { api, rig } = context;
  // First: a hub that has just started lists a camera once it has come back.
  const link = await linkToHub(endpoint(context), cameraId, cameraToken, 30_000 * rig.slowness);
  const { device, cameras } = await api.json('getStatus');
  const { overrides } = await api.json('getConfig');
  const files = 'cat /data/rushlight/owner-token /data/rushlight/keys.json /etc/machine-id | sha256sum';
  return {
    id: device.id,
    name: device.name,
    role: device.role,
    roleReason: device.roleReason,
    cameras: cameras.map(({ id, name }) => ({ id, name })),
    keys: await api.json('listKeys'),
    overrides,
    certificate: await certificateOf(endpoint(context)),
    files: await rig.network.shell(files),
    crew: (await api.send('GET', '/api/takes', crewToken)).status,
    link,
  };
}

/** A factory reset after updates: the running slot stays, and nothing of the household does. */
async function reset(context: TestContext, { cameraToken, crewToken }: Household): Promise<void> {
  const { api, rig, note, ready, signal } = context;
  const before = await updateOf(context);
  const owner = await rig.network.shell('cat /data/rushlight/owner-token');
  const since = rig.console.log.length;
  await rig.network.shell('systemctl --no-block start rushlight-factory-reset.service');
  await rig.network.forget();
  await rig.console.expect(/reboot: Restarting system/, { timeoutMs: minute * rig.slowness, since });
  await rig.console.expect(/formatting/, { timeoutMs: minute * rig.slowness, since });
  note(`ready ${(await ready()).toFixed(0)} s after the reset's restart`);
  const known = async () => {
    const now = await updateOf(context);
    return now.state !== 'unsupported' && now;
  };
  const wait = { timeoutMs: minute * rig.slowness, signal };
  const after = await waitFor('the slots are known', known, wait);
  const slotOf = ({ slots, installedVersion }: typeof after) => ({
    slot: slots.find(({ booted }) => booted)?.name,
    installedVersion,
  });
  assert.deepEqual(slotOf(after), slotOf(before));
  assert.deepEqual([after.state, after.lastAttempt], ['idle', null]);
  assert.notEqual(await rig.network.shell('cat /data/rushlight/owner-token'), owner);
  const keys = await api.json('listKeys');
  assert.deepEqual(
    keys.map(({ role }) => role),
    ['owner'],
  );
  assert.deepEqual((await api.json('getConfig')).overrides, {});
  assert.equal((await api.send('GET', '/api/takes', crewToken)).status, 401);
  assert.equal(await linkToHub(endpoint(context), cameraId, cameraToken, 30_000 * rig.slowness), null);
  const failed = await rig.network.shell('systemctl --failed --no-legend --plain');
  assert.equal(failed.trim(), '', 'no unit failed');
}

/** Tests of what updates keep. */
export const updateStateTests: readonly TestCase[] = [
  {
    name: 'update: adoption, keys and settings outlive updates, and a factory reset keeps the slot',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 20 * minute,
    async run(context) {
      const { note } = context;
      await showCamera(context);
      const { installedVersion } = await updateOf(context);
      const kept = await setUp(context);
      const before = await household(context, kept);
      assert.equal(before.crew, 200);
      assert.ok(before.link);
      const slots = [await bootedSlot(context)];
      const variant: Variant = { version: '0.5.0', root: 'echo state > etc/update-mark' };
      await withBundle(variant, async (url) => {
        await update(context, url, committed(variant.version));
      });
      for (const wanted of [variant.version, installedVersion, variant.version]) {
        if (wanted !== (await updateOf(context)).installedVersion) await goBack(context, committed(wanted));
        assert.deepEqual(await household(context, kept), before);
        slots.push(await bootedSlot(context));
      }
      note(`the same in slots ${slots.join(' → ')}`);
      await reset(context, kept);
    },
  },
];
