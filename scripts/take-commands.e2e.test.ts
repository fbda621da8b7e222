import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Problem, Status, Take } from '../supervisor/contract/index.ts';
import { MqttListener } from '../supervisor/telemetry/listener.fixture.ts';
import { Mosquitto } from '../supervisor/telemetry/mosquitto.fixture.ts';
import { type ApplianceProcess, freeUdpPort, startAppliance } from './testing/appliance-process.ts';

const config = (udpPort: number, broker: number) => `
role = "hub"
name = "presses"
[devices]
adopt = "ask"
[media]
udp_port = ${udpPort}
addresses = ["127.0.0.1"]
[mqtt]
url = "mqtt://127.0.0.1:${broker}"
[[source]]
id = "cam0"
kind = "test"
width = 320
height = 180
fps = 25
`;

/** Loaded into every process of the appliance: a card whose fsync takes its time. */
const slowCard = `
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
const file = await open('/dev/null');
const kind = Object.getPrototypeOf(file);
const { sync } = kind;
await file.close();
kind.sync = async function () {
  await sleep(100);
  return await sync.call(this);
};
`;

/** A whole appliance whose commands come as fast as fingers, scripts and crashes make them. */
describe('take commands in quick succession', { timeout: 240_000 }, () => {
  let broker: Mosquitto;
  let listener: MqttListener;
  let appliance: ApplianceProcess;
  let device: string;
  let folder: string;

  beforeAll(async () => {
    broker = await Mosquitto.start();
    listener = await MqttListener.connect(broker.port);
    folder = await mkdtemp(join(tmpdir(), 'rushlight-slow-card-'));
    const slow = join(folder, 'slow-card.mjs');
    await writeFile(slow, slowCard);
    const env = { NODE_OPTIONS: `--import=${slow}` };
    appliance = await startAppliance({ config: config(await freeUdpPort(), broker.port), env });
    await ready();
    device = (await appliance.get<Status>('/api/status')).device.id;
    await listener.until(`rushlight/${device}/availability`, (text) => text === 'online');
  }, 150_000);

  afterAll(async () => {
    await appliance[Symbol.asyncDispose]();
    await listener[Symbol.asyncDispose]();
    await broker[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  async function ready(): Promise<void> {
    await appliance.until(
      'the camera gives pictures',
      async () =>
        (await appliance.get<Status>('/api/status')).sources.some(({ state }) => state === 'running'),
      120_000,
    );
  }

  async function call(method: string, path: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(appliance.url + path, {
      method,
      ...(method === 'POST' ? { headers: { 'content-type': 'application/json' }, body: '{}' } : {}),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  }

  /** The id of the next take, as soon as its start is under way and somebody may know of it. */
  async function listenForTake(): Promise<string> {
    const response = await fetch(`${appliance.url}/api/events`);
    const { body } = response;
    if (body === null) throw new Error('no events');
    let text = '';
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const id = /"type":"take","take":\{"id":"([a-z0-9]+)"/.exec(text)?.[1];
      if (id !== undefined) return id;
    }
    throw new Error(`no take begins: ${text}`);
  }

  async function recorders(): Promise<string[]> {
    const names = await readdir(join(appliance.data, 'run', 'children'));
    return names.filter((name) => /^record-.*\.json$/.test(name));
  }

  /** Nothing is left of a take but what can be deleted, and the next one gets frames. */
  async function allIsWell(id: string): Promise<void> {
    expect(await recorders()).toEqual([]);
    await appliance.until('the take is over', async () =>
      ['verified', 'failed'].includes((await appliance.get<Take>(`/api/takes/${id}`)).state),
    );
    expect((await call('DELETE', `/api/takes/${id}`)).status).toBe(204);
    const next = await appliance.post<Take>('/api/takes');
    await appliance.until('the next take gets frames', async () => {
      const [camera] = (await appliance.get<Take>(`/api/takes/${next.id}`)).cameras;
      return camera?.state === 'recording' && camera.frames > 0;
    });
    expect((await call('POST', `/api/takes/${next.id}/stop`)).status).toBe(200);
    await appliance.until(
      'the next take is verified',
      async () => (await appliance.get<Take>(`/api/takes/${next.id}`)).state === 'verified',
    );
  }

  test.each([0, 20, 100, 600])(
    'over the API: a stop %i ms after the start is acknowledged',
    async (gapMs) => {
      const beginning = listenForTake();
      await sleep(200);
      const starting = call('POST', '/api/takes');
      const id = await beginning;
      await sleep(gapMs);
      const stopped = await call('POST', `/api/takes/${id}/stop`);
      expect(stopped.status).toBe(200);
      expect((stopped.body as Take).stoppedAt).not.toBeNull();
      expect((await starting).status).toBe(201);
      await allIsWell(id);
    },
  );

  test('over MQTT: ON and OFF at once, three times', async () => {
    listener.forget();
    const before = new Set((await appliance.get<Take[]>('/api/takes')).map(({ id }) => id));
    const presses = ['ON', 'OFF', 'ON', 'OFF', 'ON', 'OFF'];
    await Promise.all(presses.map((press) => listener.publish(`rushlight/${device}/recording/set`, press)));
    const result = `rushlight/${device}/recording/result`;
    await expect.poll(() => listener.on(result).length, { timeout: 30_000 }).toBe(presses.length);
    expect(listener.on(result).map(({ text }) => JSON.parse(text).code)).toEqual(presses.map(() => 'OK'));
    const begun = (await appliance.get<Take[]>('/api/takes')).filter(({ id }) => !before.has(id));
    expect(begun).toHaveLength(3);
    for (const { stoppedAt } of begun) expect(stoppedAt).not.toBeNull();
    for (const { id } of begun) await allIsWell(id);
  });

  test.each([1, 2, 3])('a stop that arrives as the supervisor returns after a crash (%i)', async () => {
    const { id } = await appliance.post<Take>('/api/takes');
    await appliance.until('it records', async () => {
      return (await appliance.get<Take>(`/api/takes/${id}`)).state === 'recording';
    });
    const { pid } = JSON.parse(await readFile(join(appliance.data, 'run', 'supervisor.json'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    // The first answer of the API counts, whatever it is.
    const first = await appliance.until(
      'the API is back',
      () => call('POST', `/api/takes/${id}/stop`),
      60_000,
    );
    expect(first).toMatchObject({ status: 200, body: { id } });
    await ready();
    await allIsWell(id);
  });

  test('a start without enough disk space is rejected for everybody who asks', async () => {
    const before = (await appliance.get<Take[]>('/api/takes')).length;
    const patch = (reserveMb: number | null) =>
      fetch(`${appliance.url}/api/config`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ masters: { reserve_mb: reserveMb } }),
      });
    expect((await patch(1_000_000)).status).toBe(200);
    const refused = await call('POST', '/api/takes');
    expect(refused).toMatchObject({ status: 507, body: { code: 'DISK_RESERVE_REACHED' } });
    expect((refused.body as Problem).detail).toMatch(/MB are free/);

    listener.forget();
    await listener.publish(`rushlight/${device}/recording/set`, 'ON');
    const result = await listener.until(`rushlight/${device}/recording/result`, () => true);
    expect(JSON.parse(result)).toMatchObject({ ok: false, code: 'DISK_RESERVE_REACHED' });
    await listener.until(`rushlight/${device}/state`, (text) => JSON.parse(text).recording.refused === true);
    const { recording } = await appliance.get<Status>('/api/status');
    expect(recording.refusal?.code).toBe('DISK_RESERVE_REACHED');
    expect(await appliance.get<Take[]>('/api/takes')).toHaveLength(before);
    const folders = await readdir(join(appliance.data, 'takes'));
    expect(folders).toHaveLength(before);
    expect((await patch(null)).status).toBe(200);
    const { id } = await appliance.post<Take>('/api/takes');
    expect((await appliance.get<Status>('/api/status')).recording.refusal).toBeNull();
    await call('POST', `/api/takes/${id}/stop`);
    await allIsWell(id);
  });
});
