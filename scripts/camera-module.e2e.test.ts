import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Appliance } from '../supervisor/appliance.ts';
import type { Status, Take } from '../supervisor/contract/index.ts';
import { FixtureMachine } from '../supervisor/platform/cameras/fixture-machine.fake.ts';
import { fakeUdev } from '../supervisor/platform/cameras/udev.fake.ts';
import { LogRing } from '../supervisor/system/log-ring.ts';
import { freePort } from './testing/appliance-process.ts';
import { readTake } from './testing/take-files.ts';

const fake = join(import.meta.dirname, '../media/capture/rpicam-vid.fake.ts');
const patient = { timeout: 60_000, interval: 200 };
const stop = new AbortController();

const settings = `role = "hub"
[devices]
adopt = "never"
[masters]
strategy = "direct"
[[source]]
id = "cam0"
kind = "rpicam"
width = 320
height = 180
fps = 30
encoder = "software"
`;

let folder: string;
let machine: FixtureMachine;
let url: string;
let running: Promise<void>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-module-'));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const program = `#!/bin/sh\nexec '${process.execPath}' '${fake}' "$@"\n`;
  await writeFile(join(bin, 'rpicam-vid'), program, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
  vi.stubEnv('FAKE_SENSOR_SKIPS', '20,21,30/40');
  await writeFile(join(folder, 'rushlight.toml'), settings);
  const udev = await fakeUdev(folder);
  machine = await new FixtureMachine('imx708-pi4').open();
  const port = await freePort();
  url = `http://localhost:${port}`;
  const logRing = new LogRing();
  const { run, roots } = machine;
  const appliance = new Appliance({
    configFile: join(folder, 'rushlight.toml'),
    dataFolder: folder,
    port,
    simulation: true,
    logRing,
    log: pino(logRing),
    cameraEdge: { run, roots, hotplug: udev.hotplug },
  });
  running = appliance.run(stop.signal);
  await vi.waitFor(async () => expect((await fetch(url)).ok).toBe(true), patient);
}, 120_000);

afterAll(async () => {
  stop.abort();
  await running;
  vi.unstubAllEnvs();
  await machine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

async function ask<T>(path: string, method = 'GET'): Promise<T> {
  const answer = await fetch(url + path, { method });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

test('a take of a camera module states when its sensor took the frames and which ones it never delivered', async () => {
  const live = async () => expect((await ask<Status>('/api/status')).sources[0]?.state).toBe('running');
  await vi.waitFor(live, patient);
  const { id } = await ask<Take>('/api/takes', 'POST');
  const take = () => ask<Take>(`/api/takes/${id}`);
  await vi.waitFor(async () => expect((await take()).cameras[0]?.frames).toBeGreaterThan(150), patient);
  await ask(`/api/takes/${id}/stop`, 'POST');
  await vi.waitFor(async () => expect((await take()).state).toBe('verified'), patient);

  const { manifest, folder: takeFolder } = await readTake(folder, id);
  const [segment] = manifest.cameras.cam0?.segments ?? [];
  const { sensorTimes, frames = 0 } = segment ?? {};
  expect(sensorTimes).toMatchObject({ source: 'save-pts', frames });
  // Three of each forty are left out.
  expect(sensorTimes?.skippedFrames).toBeGreaterThanOrEqual(Math.floor(frames / 40) * 3);
  expect(segment?.droppedFrames).toBeGreaterThanOrEqual(sensorTimes?.skippedFrames ?? Number.NaN);
  const lines = (await readFile(join(takeFolder, sensorTimes?.file ?? ''), 'utf8')).trim().split('\n');
  expect(lines[0]).toBe('# timecode format v2');
  expect(lines).toHaveLength(frames + 1);
});
