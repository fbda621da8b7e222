import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { camelCaseKeys } from '../../common/camel-case.ts';
import { configSchema } from '../config/schema.ts';
import { StateStore } from '../config/state.ts';
import { CameraEnumerator } from '../platform/cameras/camera-enumerator.ts';
import { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import { FixtureMachine } from '../platform/cameras/fixture-machine.fake.ts';
import { PluggedCameras } from './plugged-cameras.ts';

const log = pino({ level: 'silent' });
const c920 = 'usb-046d_HD_Pro_Webcam_C920_CD5AF2DF';
const feed = 'hd-pro-webcam-c920';

let folder: string;
let machine: FixtureMachine;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-plugged-'));
  machine = await new FixtureMachine('c920-pi4').open();
});

afterEach(async () => {
  await machine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function parts(adopt: 'ask' | 'auto' | 'never', source: readonly object[] = []) {
  const state = new StateStore({ file: join(folder, 'state.json'), logger: log });
  await state.load();
  const { run, roots } = machine;
  const watcher = new CameraWatcher({
    enumerator: new CameraEnumerator({ log, run, roots, placeOf: (device) => plugged.placeOf(device) }),
    hotplug: { run: async () => {} },
    memory: { get: () => undefined, set: () => {} },
    ...{ log, run },
  });
  const plugged = new PluggedCameras(watcher, state);
  const config = camelCaseKeys(configSchema, configSchema.parse({ devices: { adopt }, source }));
  /** Looks, decides, and looks again: as the appliance does. */
  const look = async () => {
    await watcher.list();
    await plugged.sources(config);
    const [device] = await watcher.list();
    return device;
  };
  return { plugged, config, look, watcher };
}

test('the next check does not undo a choice that is still being written', async () => {
  const { plugged, config, watcher } = await parts('auto');
  await watcher.list();
  // The camera is new to this look, which therefore writes, too.
  await Promise.all([plugged.use(c920, false, config), afterList(plugged, config)]);
  expect(plugged.decided).toEqual([]);
  expect(await plugged.sources(config)).toEqual([]);
});

/** Looks once `use` has found its camera, and before its choice is on the disk. */
async function afterList(plugged: PluggedCameras, config: Parameters<PluggedCameras['sources']>[0]) {
  const update = vi.spyOn(StateStore.prototype, 'update');
  await vi.waitFor(() => expect(update).toHaveBeenCalled(), { interval: 1 });
  update.mockRestore();
  return await plugged.sources(config);
}

test('offers, uses and names a camera, and remembers it while it is away', async () => {
  const { plugged, config, look } = await parts('ask');
  expect(await look()).toMatchObject({ id: c920, use: 'offered', source: null, label: 'HD Pro Webcam C920' });
  expect(plugged.unplugged()).toEqual([]);

  await plugged.use(c920, true, config);
  await plugged.label(c920, 'Stage left', config);
  expect(await look()).toMatchObject({ use: 'used', source: feed, label: 'Stage left' });

  await machine.become('vivid');
  await look();
  expect(plugged.unplugged()).toEqual([{ id: c920, label: 'Stage left', feed }]);

  await machine.become('c920-pi4-other-port');
  expect(await look()).toMatchObject({ use: 'used', source: feed, label: 'Stage left' });
  expect(plugged.unplugged()).toEqual([]);

  await plugged.forget(c920);
  expect(await look()).toMatchObject({ use: 'offered', label: 'HD Pro Webcam C920' });
  await expect(plugged.forget(c920)).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' });
});

test('does not wait for a camera that somebody released', async () => {
  const { plugged, config, look } = await parts('ask');
  await look();
  await plugged.use(c920, false, config);
  expect(await look()).toMatchObject({ use: 'unused', source: null });
  await machine.become('vivid');
  await look();
  expect(plugged.unplugged()).toEqual([]);
});

test('points to the settings for a camera that they name', async () => {
  const source = [{ id: 'main', kind: 'v4l2', device: c920, label: 'Front' }];
  const { plugged, config, look } = await parts('auto', source);
  expect(await look()).toMatchObject({ use: 'settings', source: 'main', label: 'Front' });
  await expect(plugged.label(c920, 'Other', config)).rejects.toMatchObject({ code: 'DEVICE_IN_SETTINGS' });
  await machine.become('vivid');
  await look();
  expect(plugged.unplugged()).toEqual([]);
});

test('rejects a choice about a missing camera', async () => {
  const { plugged, config, look } = await parts('auto');
  await look();
  await expect(plugged.use('nobody', true, config)).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' });
});
