import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Feed, NewCamera, Status } from '../supervisor/contract/index.ts';
import { netnsObstacle, TestLan } from '../supervisor/testing/netns.ts';
import { codeBlocks } from './docs/code-blocks.ts';
import { root } from './testing/appliance-process.ts';
import { apiPort, Machine } from './testing/machine.ts';

const run = promisify(execFile);
const obstacle = await netnsObstacle();
const title = `a backup as the guide makes it${obstacle === null ? '' : ` (skipped: ${obstacle})`}`;
const http = `[http]\nlisten = ["0.0.0.0"]\nport = ${apiPort}\ntls_port = 8443\n`;
const hubSettings = `role = "hub"\nname = "stage-hub"\n${http}[devices]\nadopt = "never"\n`;
const cameraSettings = `role = "camera"\nname = "left"\n${http}[devices]\nadopt = "never"
[[source]]\nid = "cam0"\nkind = "test"\nwidth = 320\nheight = 180\nfps = 10\n`;

describe.skipIf(obstacle !== null)(title, { timeout: 300_000 }, () => {
  let lan: TestLan;
  let hub: Machine;
  let camera: Machine;
  let folder = '';

  beforeEach(async () => {
    lan = await new TestLan().open();
    folder = await mkdtemp(join(tmpdir(), 'rushlight-backup-'));
    hub = new Machine(await lan.addHost('hub', '10.89.0.1/24'));
    camera = new Machine(await lan.addHost('left', '10.89.0.2/24'));
  });

  afterEach(async () => {
    await camera[Symbol.asyncDispose]();
    await hub[Symbol.asyncDispose]();
    await lan[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const statusOf = (machine: Machine) => machine.ask<Status>('GET', '/api/status');
  const pictureArrives = () =>
    hub.until('the picture of the camera arrives', async () =>
      (await hub.ask<Feed[]>('GET', '/api/feeds')).find(({ state }) => state === 'online'),
    );

  test('restores the same hub on other hardware at another address: nobody adopts its camera again', async () => {
    await hub.boot(hubSettings);
    await camera.boot(cameraSettings);
    const shown = await camera.until('the camera asks', async () => (await statusOf(camera)).adoption);
    const waiting = await hub.until('the hub lists it', async () =>
      (await hub.ask<NewCamera[]>('GET', '/api/cameras/new')).find(({ code }) => code === shown.code),
    );
    await hub.ask('POST', `/api/cameras/${waiting.id}/adopt`, { code: shown.code });
    await pictureArrives();
    const before = await statusOf(hub);
    const key = await hub.ownerToken();

    // The guide's own words, for the folder of this machine.
    const guide = codeBlocks(await readFile(join(root, 'docs/operate/backups.md'), 'utf8'));
    const commands = guide
      .flatMap(({ text }) => text.split('\n'))
      .filter((line) => line.startsWith('sudo tar'));
    const [make = '', unpack = ''] = commands.map((line) => line.replace('sudo ', ''));
    const here = (command: string) =>
      run('sh', ['-ec', command.replace('/var/lib/rushlight', hub.data)], { cwd: folder });
    await here(make);

    await hub.pullPlug();
    await hub.wipe();
    await hub.host.setAddress('10.89.0.7/24');
    await here(unpack);
    hub.start();

    await pictureArrives();
    const after = await statusOf(hub);
    expect(after.device.id).toBe(before.device.id);
    expect(await hub.ownerToken()).toBe(key);
    expect(await hub.ask<NewCamera[]>('GET', '/api/cameras/new')).toEqual([]);
    expect((await statusOf(camera)).hub).toMatchObject({
      state: 'connected',
      url: expect.stringContaining('10.89.0.7'),
    });
  });
});
