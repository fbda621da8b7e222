import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Status, Take } from '../supervisor/contract/index.ts';
import { openRecordedMachine, type RecordedMachine } from './testing/recorded-machine.ts';
import { readTake } from './testing/take-files.ts';

const fake = join(import.meta.dirname, '../media/capture/rpicam-vid.fake.ts');
const patient = { timeout: 60_000, interval: 200 };

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

let machine: RecordedMachine;

beforeAll(async () => {
  vi.stubEnv('FAKE_SENSOR_SKIPS', '20,21,30/40');
  const program = `#!/bin/sh\nexec '${process.execPath}' '${fake}' "$@"\n`;
  machine = await openRecordedMachine({
    fixture: 'imx708-pi4',
    config: settings,
    programs: { 'rpicam-vid': program },
  });
}, 120_000);

afterAll(async () => {
  await machine?.[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
});

async function ask<T>(path: string, method = 'GET'): Promise<T> {
  const answer = await fetch(machine.url + path, { method });
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

  const { manifest, folder: takeFolder } = await readTake(machine.data, id);
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
