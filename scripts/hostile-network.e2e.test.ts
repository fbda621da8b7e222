import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Feed, NewCamera, Status, Take } from '../supervisor/contract/index.ts';
import { netnsObstacle, type TestHost, TestLan } from '../supervisor/testing/netns.ts';
import { apiPort, Machine } from './testing/machine.ts';

const obstacle = await netnsObstacle();
const title = `strangers on the network${obstacle === null ? '' : ` (skipped: ${obstacle})`}`;
const strangerAddress = '10.77.0.66';
const looks = 60;

const http = `[http]\nlisten = ["0.0.0.0"]\nport = ${apiPort}\ntls = true\ntls_port = 8443\n`;
const hubSettings = `role = "hub"\nname = "stage"\n${http}[devices]\nadopt = "ask"\n`;
const cameraSettings = `role = "camera"
name = "left"
${http}[camera]
hub = "auto"
[devices]
adopt = "ask"
[masters]
strategy = "direct"
[[source]]
id = "cam0"
kind = "test"
width = 320
height = 180
fps = 25
`;

const statusOf = (machine: Machine) => machine.ask<Status>('GET', '/api/status');

describe.skipIf(obstacle !== null)(title, { timeout: 240_000 }, () => {
  let lan: TestLan;
  let hub: Machine;
  let camera: Machine;
  let stranger: TestHost;

  beforeEach(async () => {
    lan = await new TestLan().open();
    hub = new Machine(await lan.addHost('hub', '10.77.0.1/24'));
    camera = new Machine(await lan.addHost('camera', '10.77.0.2/24'));
    stranger = await lan.addHost('stranger', `${strangerAddress}/24`);
  });

  afterEach(async () => {
    await camera[Symbol.asyncDispose]();
    await hub[Symbol.asyncDispose]();
    await lan[Symbol.asyncDispose]();
  });

  async function adopt(): Promise<void> {
    const code = await camera.until('the camera shows the code of its hub', async () => {
      const { adoption } = await statusOf(camera);
      const codes = adoption === null ? [] : [adoption, ...(adoption.others ?? [])];
      return codes.find(({ hubName }) => hubName === 'stage')?.code;
    });
    const waiting = await hub.until('the hub shows the camera', async () => {
      const found = await hub.ask<NewCamera[]>('GET', '/api/cameras/new');
      return found.find((one) => one.code === code);
    });
    await hub.ask('POST', `/api/cameras/${waiting.id}/adopt`, { code });
  }

  const isOnline = async () => {
    const feeds = await hub.ask<Feed[]>('GET', '/api/feeds');
    return feeds.some(({ id, state }) => id === 'cam0' && state === 'online');
  };

  test('who forges the announcement of a hub cuts no feed of its cameras', async () => {
    await Promise.all([hub.boot(hubSettings), camera.boot(cameraSettings)]);
    await adopt();
    await hub.until('the feed arrives', isOnline);
    const { hub: link } = await statusOf(camera);
    const id = link?.id ?? '';
    const forge = (...more: string[]) =>
      stranger.spawn(
        process.execPath,
        'supervisor/camera/mdns-forger.fake.ts',
        ...['--own', strangerAddress, '--id', id, ...more],
      );
    forge('--tls', 'cd'.repeat(32), '--others', '5');
    forge('--tls', '');
    const cut: string[] = [];
    for (let look = 0; look < looks; look += 1) {
      const status = await statusOf(camera);
      const online = await isOnline();
      if (!online || status.hub?.url !== link?.url || status.hub?.state !== 'connected') {
        cut.push(`${look}: ${status.hub?.state} ${status.hub?.url} ${status.hub?.reason}, online ${online}`);
      }
      await sleep(250);
    }
    console.log(`${cut.length} of ${looks} looks found the feed or the link cut`);
    expect(cut).toEqual([]);

    // The hub goes and comes back in the middle of it.
    await hub.pullPlug();
    hub.start();
    const startedAtMs = performance.now();
    await hub.until('the feed is back', isOnline);
    await camera.until('the link is back', async () => (await statusOf(camera)).hub?.state === 'connected');
    console.log(`feed and link ${Math.round(performance.now() - startedAtMs)} ms after the start of the hub`);
  });

  test('a camera that belongs to no hub shows nothing to a stranger’s, and does not obey it; it finds its own beside it', async () => {
    const heard: string[] = [];
    const greedy = stranger.spawn(process.execPath, 'supervisor/camera/greedy-hub-process.fake.ts', '8443');
    if (greedy.stdout) createInterface(greedy.stdout).on('line', (line) => heard.push(line));
    await expect.poll(() => heard, { timeout: 20_000 }).toEqual(['ready']);
    stranger.spawn(
      process.execPath,
      'supervisor/camera/mdns-forger.fake.ts',
      ...['--own', strangerAddress, '--id', '0000', '--name', 'greedy', '--everyMs', '500'],
    );
    await camera.boot(cameraSettings);
    await camera.until('the camera waits for its owner', async () => {
      return (await statusOf(camera)).hub?.state === 'refused';
    });
    await sleep(5000);
    await hub.boot(hubSettings);
    await adopt();
    await hub.until('the feed arrives', isOnline);

    await camera.ask('DELETE', '/api/hub');
    await hub.until('the feed is gone', async () => !(await isOnline()));
    await sleep(5000);
    expect(heard.filter((line) => !line.startsWith('ready'))).toEqual([]);
    expect(await camera.ask<Take[]>('GET', '/api/takes')).toEqual([]);
  });
});
