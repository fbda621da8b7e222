import { cameraSourceOf, cardConfig } from '../lib/config.ts';
import { apiOf, type DeviceApi } from '../lib/device-api.ts';
import type { TestContext } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';
import type { Rig } from '../rig.ts';
import { Strategy } from '../strategies/strategy.ts';

const minute = 60_000;
/** Few: four machines share the rig's processors. */
const fps = 2;

/** A camera of the fleet. */
export interface FleetCamera {
  readonly name: string;
  readonly feed: string;
  readonly rig: Rig;
  readonly api: DeviceApi;
}

/** Starts a new camera, with a name and a virtual camera. */
export async function startCamera(rig: Rig, name: string, signal: AbortSignal): Promise<FleetCamera> {
  const api = apiOf(rig);
  const strategy = new Strategy(rig, api);
  await strategy.reach('provisioning', signal);
  const feed = `${name}-cam`;
  const card = cardConfig({ role: 'camera', name, header: false, more: cameraSourceOf(feed, fps) });
  await rig.storage.writeCard('rushlight.toml', card);
  await rig.power.on();
  await strategy.ready(signal);
  return { name, feed, rig, api };
}

/** The owner compares the code on camera and hub, and taps; then waits until the camera's picture is on the hub. */
export async function adopt({ rig, api, signal }: TestContext, camera: FleetCamera): Promise<void> {
  const options = { timeoutMs: 5 * minute * rig.slowness, pollMs: 3_000, signal };
  const shown = await waitFor(
    `${camera.name} shows a code`,
    async () => (await camera.api.json('getStatus')).adoption ?? undefined,
    options,
  );
  const waiting = await waitFor(
    `the hub lists ${camera.name} as new`,
    async () => (await api.json('listNewCameras')).find(({ code }) => code === shown.code),
    options,
  );
  await api.json('adoptCamera', { params: { id: waiting.id }, body: { code: shown.code } });
  await waitFor(
    `${camera.name}'s picture is on the hub`,
    async () =>
      (await api.json('listFeeds')).some(({ id, state }) => id === camera.feed && state === 'online'),
    options,
  );
}
