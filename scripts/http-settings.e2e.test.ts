import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HubCandidate } from '../supervisor/camera/hub-locator.ts';
import type { Status, Take } from '../supervisor/contract/index.ts';
import { createTlsIdentity } from '../supervisor/system/tls-identity.ts';
import { netnsObstacle, type TestHost, TestLan } from '../supervisor/testing/netns.ts';
import { root } from './testing/appliance-process.ts';
import { apiPort, Machine } from './testing/machine.ts';
import { readTake } from './testing/take-files.ts';

const obstacle = await netnsObstacle();
const title = `settings of page and API that cannot be served${obstacle === null ? '' : ` (skipped: ${obstacle})`}`;
const taken = 9999;

const usual = { listen: '["0.0.0.0"]', port: apiPort, tls_port: 8443 };
const settings = (http: Record<string, string | number>) => `role = "hub"
name = "stage"
[http]
${Object.entries({ ...usual, ...http })
  .map(([key, value]) => `${key} = ${value}`)
  .join('\n')}
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

describe.skipIf(obstacle !== null)(title, { timeout: 300_000 }, () => {
  let lan: TestLan;
  let host: TestHost;
  let hub: Machine;

  beforeEach(async () => {
    lan = await new TestLan().open();
    host = await lan.addHost('hub', '10.77.0.1/24');
    hub = new Machine(host);
  });

  afterEach(async () => {
    await hub[Symbol.asyncDispose]();
    await lan[Symbol.asyncDispose]();
  });

  const status = () => hub.ask<Status>('GET', '/api/status');
  const pageHealth = async () => (await status()).health.components.find(({ name }) => name === 'http');
  const supervisor = async () =>
    JSON.parse(await readFile(join(hub.data, 'run/supervisor.json'), 'utf8')).pid;
  const troubled = (words: RegExp) =>
    hub.until(`the page says ${words}`, async () => words.test((await pageHealth())?.reason ?? ''));
  const atEase = () => hub.until('the page is at ease', async () => (await pageHealth())?.state === 'ok');

  /** Another program that sits on ports. */
  function occupy(...ports: readonly number[]) {
    const code = `for (const port of [${ports}]) require('node:net').createServer().listen(port, '0.0.0.0')`;
    return host.spawn(process.execPath, '-e', code);
  }

  test('a running take, the feed and the page continue, whatever they are set to', async () => {
    occupy(taken);
    await hub.boot(settings({}));
    await hub.until('cam0 runs', async () => (await status()).feeds[0]?.state === 'online', 120_000);
    await atEase();
    const before = await supervisor();
    const take = await hub.ask<Take>('POST', '/api/takes', {});
    await hub.until('the take runs', async () => (await status()).recording.state === 'recording');

    const wrong: [Record<string, string | number>, RegExp][] = [
      [{ port: taken }, /port 9999: another program/],
      [{ tls_port: taken }, /port 9999: another program/],
      [{ listen: '["10.77.0.99"]' }, /10\.77\.0\.99/],
      [{ cert_file: '"none.pem"', key_file: '"none.key"' }, /none\.pem/],
      [{ cert_file: '"own.pem"', key_file: '"own.key"' }, /does not belong to the certificate/],
    ];
    const [own, other] = await Promise.all(
      ['own', 'other'].map((name) => createTlsIdentity(name, new Date())),
    );
    await writeFile(join(hub.data, 'own.pem'), own?.certPem ?? '');
    await writeFile(join(hub.data, 'own.key'), other?.keyPem ?? '');
    for (const [http, words] of wrong) {
      await hub.configure(settings(http));
      await troubled(words);
      expect((await status()).recording.state).toBe('recording');
      await hub.configure(settings({}));
      await atEase();
    }
    await hub.configure(settings({ tls_port: apiPort }));
    await hub.until('equal ports are refused', async () =>
      (await status()).config.errors.some(({ key }) => key === 'http.tls_port'),
    );
    await hub.configure(settings({}));

    await hub.ask('POST', `/api/takes/${take.id}/stop`);
    await hub.until('the take is verified', async () => {
      return (await hub.ask<Take>('GET', `/api/takes/${take.id}`)).state === 'verified';
    });
    const { manifest } = await readTake(hub.data, take.id);
    expect(manifest.cameras.cam0).toMatchObject({ state: 'verified', droppedFrames: 0 });
    expect(manifest.cameras.cam0?.segments).toHaveLength(1);
    expect(await supervisor()).toBe(before);
  });

  test('at startup: cameras run without the missing address, and mDNS announces what is served', async () => {
    const squatter = occupy(8443);
    await hub.boot(settings({ listen: '["10.77.0.5"]' }));
    await hub.until('cam0 runs', async () => (await status()).feeds[0]?.state === 'online', 120_000);
    await troubled(/10\.77\.0\.5/);
    const before = await supervisor();
    const program = join(root, 'supervisor/camera/locator-process.fake.ts');
    const locator = (await lan.addHost('camera', '10.77.0.2/24')).spawn(
      process.execPath,
      program,
      '--locate',
    );
    const seen: (HubCandidate | null)[] = [];
    if (locator.stdout) createInterface(locator.stdout).on('line', (line) => seen.push(JSON.parse(line)));
    const announced = (port: RegExp) =>
      hub.until(`${port} is announced`, async () => port.test(seen.at(-1)?.url ?? ''), 30_000);
    await announced(/^https:\/\/10\.77\.0\.1:(?!8443)\d+$/);

    squatter.kill('SIGKILL');
    await host.setAddress('10.77.0.5/24');
    await atEase();
    await announced(/^https:\/\/10\.77\.0\.5:8443$/);
    await sleep(500);
    expect(await supervisor()).toBe(before);
  });
});
