import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status, Take } from '../supervisor/contract/index.ts';
import { type ApplianceProcess, startAppliance } from './testing/appliance-process.ts';
import { DiskFaults, nothingIsAnswered } from './testing/disk-faults/disk-faults.ts';
import { readTake } from './testing/take-files.ts';

const config = (masters: string) => `
role = "hub"
name = "hung-disk"
[devices]
adopt = "ask"
[masters]
path = "${masters}"
strategy = "direct"
[[source]]
id = "cam0"
kind = "test"
width = 320
height = 180
fps = 25
`;

/** A request that takes longer hangs with the disk. A stop may wait for it, 12 s at most. */
const patienceMs = 20_000;

describe('the whole appliance while the disk of its masters hangs', { timeout: 180_000 }, () => {
  let hung: string;
  let sound: string;
  let faults: DiskFaults;
  let appliance: ApplianceProcess;
  let first: string;

  beforeAll(async () => {
    // Shared memory is a file system of its own, as an SSD is.
    hung = await mkdtemp('/dev/shm/rushlight-hung-');
    sound = await mkdtemp(join(tmpdir(), 'rushlight-sound-'));
    faults = await DiskFaults.over(hung);
    appliance = await startAppliance({ config: config(hung), env: faults.environment });
  }, 120_000);

  afterAll(async () => {
    await faults?.heal();
    await appliance?.stop();
    await appliance?.[Symbol.asyncDispose]();
    await faults?.[Symbol.asyncDispose]();
    for (const folder of [hung, sound]) await rm(folder, { recursive: true, force: true });
  });

  const status = () => appliance.get<Status>('/api/status');
  const takeOf = (id: string) => appliance.get<Take>(`/api/takes/${id}`);
  const framesOf = async (id: string) => (await takeOf(id)).cameras[0]?.frames ?? 0;
  const send = (method: string, path: string, body?: unknown) =>
    fetch(appliance.url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(patienceMs),
    });

  test('a stop is answered, with the reason, and the picture stays live', async () => {
    await appliance.until('frames', async () =>
      (await status()).sources.some(({ id, state }) => id === 'cam0' && state === 'running'),
    );
    first = (await appliance.post<Take>('/api/takes')).id;
    await appliance.until('two seconds', async () => (await framesOf(first)) >= 50);
    await faults.set(nothingIsAnswered);
    expect((await send('POST', `/api/takes/${first}/stop`, {})).status).toBe(200);
    const stopped = await takeOf(first);
    expect(stopped).toMatchObject({ state: 'finishing', stoppedAt: expect.any(String) });
    await appliance.until('the reason', async () =>
      (await takeOf(first)).cameras[0]?.reason?.includes('does not answer'),
    );
    await appliance.until('a word in the health', async () =>
      (await status()).health.components
        .find(({ name }) => name === 'masters')
        ?.reason?.includes('does not answer'),
    );
    const now = await status();
    expect(now.sources.find(({ id }) => id === 'cam0')).toMatchObject({ state: 'running', restarts: 0 });
    expect(now.feeds.find(({ id }) => id === 'cam0')?.state).toBe('online');
  });

  test('everything else goes on: settings, keys, the next take on another disk', async () => {
    // Each asks a file: with all threads held by the disk, none would be answered.
    for (let round = 0; round < 5; round += 1) {
      const made = await send('POST', '/api/keys', { role: 'viewer', subject: `v${round}` });
      expect(made.status).toBe(201);
      expect((await send('GET', '/api/takes')).status).toBe(200);
    }
    const refused = await send('POST', '/api/takes', {});
    expect(refused.status).toBe(507);
    expect(await refused.json()).toMatchObject({
      code: 'DISK_UNAVAILABLE',
      detail: expect.stringContaining('does not answer'),
    });

    expect((await send('PATCH', '/api/config', { masters: { path: sound } })).status).toBe(200);
    const { id } = await appliance.post<Take>('/api/takes');
    await appliance.until('two seconds', async () => (await framesOf(id)) >= 50);
    await appliance.post(`/api/takes/${id}/stop`);
    await appliance.until('the end', async () => (await takeOf(id)).state === 'verified');
    expect((await readTake(sound, id)).manifest.cameras.cam0?.frames).toBeGreaterThanOrEqual(50);
  });

  test('what reached the disk is finished and verified once it answers', async () => {
    expect((await send('PATCH', '/api/config', { masters: { path: hung } })).status).toBe(200);
    await faults.heal();
    await appliance.until('the first take', async () => (await takeOf(first)).state === 'verified');
    const { manifest } = await readTake(hung, first);
    expect(manifest).toMatchObject({ wanted: false, stoppedAt: expect.any(String) });
    expect(manifest.cameras.cam0?.frames).toBeGreaterThanOrEqual(40);
    expect(manifest.cameras.cam0?.state).toBe('verified');
  });
});
