import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigView, Output, Status, Take } from '../supervisor/contract/index.ts';
import { netnsObstacle, TestLan } from '../supervisor/testing/netns.ts';
import { apiPort, Machine } from './testing/machine.ts';

const obstacle = await netnsObstacle();
const title = `a feed that goes on to another hub${obstacle === null ? '' : ` (skipped: ${obstacle})`}`;

const settings = (name: string) => `role = "hub"
name = "${name}"
[http]
listen = ["0.0.0.0"]
port = ${apiPort}
tls_port = 8443
[devices]
adopt = "never"
`;
const source = `[masters]
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
  let stage: Machine;
  let studio: Machine;

  beforeEach(async () => {
    lan = await new TestLan().open();
    stage = new Machine(await lan.addHost('stage', '10.77.0.1/24'));
    studio = new Machine(await lan.addHost('studio', '10.77.0.2/24'));
  });

  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
    await studio[Symbol.asyncDispose]();
    await lan[Symbol.asyncDispose]();
  });

  const output = async () => (await stage.ask<Output[]>('GET', '/api/outputs'))[0];
  const says = (words: RegExp) =>
    stage.until(`the output says ${words}`, async () => words.test((await output())?.reason ?? ''), 90_000);
  const far = async () => (await studio.ask<Status>('GET', '/api/status')).feeds[0];

  /** Changes the one output as the page does: from what the settings show. */
  async function set(change: Record<string, unknown>): Promise<ConfigView> {
    const { values } = await stage.ask<ConfigView>('GET', '/api/config');
    const [now = { id: 'studio', feed: '*' }] = values.output as Record<string, unknown>[];
    return await stage.ask<ConfigView>('PATCH', '/api/config', { output: [{ ...now, ...change }] });
  }

  test('says what is wrong until it works, and neither it nor its end affects take and feed', async () => {
    await studio.boot(settings('studio'));
    await stage.boot(settings('stage') + source);
    const key = await studio.until('the other hub makes a key', () =>
      studio.ask<{ token: string }>('POST', '/api/keys', { subject: 'stage', role: 'operator' }),
    );
    await stage.until('cam0 runs', async () => {
      const { feeds } = await stage.ask<Status>('GET', '/api/status');
      return feeds[0]?.state === 'online';
    });
    const take = await stage.ask<Take>('POST', '/api/takes', {});
    await set({ url: 'http://10.77.0.9:1/whip/{feed}', token: 'wrong-key' });
    await says(/cannot be reached|does not answer/);
    await set({ url: 'https://10.77.0.2:8443/whip/{feed}' });
    await says(/Set tls_fingerprint or ca_file/);
    await set({ tls_fingerprint: '00'.repeat(32) });
    await says(/another certificate/);
    const pem = await readFile(join(studio.data, 'tls-cert.pem'));
    await set({ tls_fingerprint: new X509Certificate(pem).fingerprint256 });
    await says(/refused the token \(401\)\. Check the token/);
    await set({ token: key.token });
    await stage.until('it is live', async () => (await output())?.state === 'live', 90_000);
    await studio.until('the other hub shows it', async () => (await far())?.state === 'online');
    // As the page changes it: the token is not repeated, and stays.
    const view = await set({ label: 'Studio' });
    expect(view.values.output).toMatchObject([{ label: 'Studio', token: 'not shown' }]);
    await sleep(1500);
    expect(await output()).toMatchObject({
      label: 'Studio',
      state: 'live',
      server: 'https://10.77.0.2:8443',
    });
    const metrics = (await stage.askAs(await stage.ownerToken(), 'GET', '/metrics')).text;
    expect(metrics).toContain('rushlight_output_live{output="studio",feed="cam0"} 1');

    await stage.ask('PATCH', '/api/config', { output: [] });
    await studio.until('the other hub lost it', async () => (await far())?.state !== 'online');
    const status = await stage.ask<Status>('GET', '/api/status');
    expect(status.sources).toMatchObject([{ id: 'cam0', state: 'running', restarts: 0 }]);
    expect(status.feeds).toMatchObject([{ id: 'cam0', state: 'online' }]);
    const stopped = await stage.ask<Take>('POST', `/api/takes/${take.id}/stop`);
    expect(stopped.cameras).toMatchObject([{ segments: 1, droppedFrames: 0 }]);
    const shown = [JSON.stringify([view, status]), metrics, stage.output].join();
    expect(shown).not.toContain(key.token);
    expect(shown).not.toContain('wrong-key');
  });
});
