import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../supervisor/contract/index.ts';
import { type ApplianceProcess, freeUdpPort, startAppliance } from './testing/appliance-process.ts';

/** The contract: an edited file is in force within 5 s. */
const withinMs = 5000;
const patientMs = 60_000;

describe('editing rushlight.toml while the appliance runs', { timeout: 180_000 }, () => {
  let appliance: ApplianceProcess;
  let udpPort: number;

  /** It sends no multicast: the hub is set, and nobody answers there. */
  const settings = (role: string, more = '') => `
role = "${role}"
name = "switch"
${more}
[camera]
hub = "http://127.0.0.1:9"
[devices]
adopt = "ask"
[media]
udp_port = ${udpPort}
[[source]]
id = "cam0"
kind = "test"
width = 320
height = 180
fps = 25
`;

  beforeAll(async () => {
    udpPort = await freeUdpPort();
    appliance = await startAppliance({ config: settings('hub') });
    await appliance.until('cam0 is live', async () => (await status()).feeds[0]?.state === 'online', 120_000);
  }, 150_000);

  afterAll(async () => {
    await appliance[Symbol.asyncDispose]();
  });

  const status = () => appliance.get<Status>('/api/status');
  const note = () => join(dirname(appliance.configFile), 'rushlight-config-error.txt');
  const pidOf = async (file: string): Promise<number> =>
    JSON.parse(await readFile(join(appliance.data, 'run', file), 'utf8')).pid;
  const processes = () =>
    Promise.all(['supervisor.json', 'children/media.json', 'children/capture-cam0.json'].map(pidOf));

  async function switchTo(role: 'hub' | 'camera'): Promise<Status> {
    const savedAtMs = performance.now();
    await writeFile(appliance.configFile, settings(role));
    const found = await appliance.until(
      `the role is ${role}`,
      async () => {
        const now = await status();
        return now.device.role === role && (role === 'camera') === (now.hub !== null) ? now : null;
      },
      withinMs,
    );
    console.log(`${role} after ${Math.round(performance.now() - savedAtMs)} ms`);
    return found;
  }

  test('a hub becomes a camera and a hub again; supervisor, media process and capture stay the same processes', async () => {
    const before = await processes();
    const camera = await switchTo('camera');
    expect(camera.hub).toMatchObject({ url: 'http://127.0.0.1:9' });
    expect(camera.device.roleReason).toContain('camera');
    const hub = await switchTo('hub');
    expect(hub.hub).toBeNull();
    expect(await processes()).toEqual(before);
    await appliance.until(
      'cam0 is live',
      async () => (await status()).feeds[0]?.state === 'online',
      patientMs,
    );
    expect((await status()).sources[0]?.restarts).toBe(0);
  });

  test('a broken file changes nothing and is reported in the log, the API and beside the file until it is corrected', async () => {
    const before = await processes();
    const { device } = await status();
    await writeFile(appliance.configFile, settings('camera', 'rolle = "camera"'));
    const errors = await appliance.until(
      'the error shows in the API',
      async () => {
        const { config } = await status();
        return config.errors.length > 0 ? config.errors : null;
      },
      patientMs,
    );
    expect(errors).toEqual([expect.objectContaining({ line: 4, key: 'rolle', nearest: 'role' })]);
    expect((await status()).device).toMatchObject({ role: 'hub', startedAt: device.startedAt });
    expect(await processes()).toEqual(before);
    const told = await appliance.until(
      'the note lies beside the file',
      () => readFile(note(), 'utf8'),
      patientMs,
    );
    expect(told).toContain('rolle');
    expect(told).toMatch(/line 4/i);
    await appliance.until(
      'the log tells it',
      async () => /"level":"(warn|error)".*rolle/.test(appliance.output()),
      patientMs,
    );

    await writeFile(appliance.configFile, 'role = "hub\n');
    await appliance.until(
      'a file that is no TOML is told, too',
      async () => (await status()).config.errors[0]?.key === '',
      patientMs,
    );

    await writeFile(appliance.configFile, settings('hub'));
    await appliance.until(
      'the errors are gone',
      async () => (await status()).config.errors.length === 0,
      patientMs,
    );
    await appliance.until(
      'the note is gone',
      () =>
        readFile(note(), 'utf8').then(
          () => false,
          (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
        ),
      patientMs,
    );
    expect(await processes()).toEqual(before);
  });
});
