import { cp, mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status, Take } from '../supervisor/contract/index.ts';
import {
  type ApplianceProcess,
  killIfThere,
  processesNaming,
  startAppliance,
} from './testing/appliance-process.ts';
import { DiskFaults, type DiskRule, nothingIsWritten } from './testing/disk-faults/disk-faults.ts';
import { readTake } from './testing/take-files.ts';

const config = (masters: string) => `
role = "hub"
name = "failing-disk"
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

describe('the whole appliance', { timeout: 180_000 }, () => {
  let masters: string;
  let faults: DiskFaults;
  let appliance: ApplianceProcess;
  let kept: Take;

  beforeAll(async () => {
    masters = await mkdtemp(join(tmpdir(), 'masters-disk-'));
    faults = await DiskFaults.over(masters);
    appliance = await startAppliance({ config: config(masters), env: faults.environment });
  }, 120_000);

  afterAll(async () => {
    await faults?.heal();
    await appliance?.stop();
    await appliance?.[Symbol.asyncDispose]();
    await faults?.[Symbol.asyncDispose]();
    await rm(masters, { recursive: true, force: true });
  });

  const status = () => appliance.get<Status>('/api/status');
  const takeOf = (id: string) => appliance.get<Take>(`/api/takes/${id}`);
  const health = async () => (await status()).health.components.find(({ name }) => name === 'masters');

  test('reports a disk error in a take to the frame, and shows it in the health', async () => {
    await appliance.until('frames', async () => {
      return (await status()).sources.some(({ id, state }) => id === 'cam0' && state === 'running');
    });
    const { id } = await appliance.post<Take>('/api/takes');
    await appliance.until('two seconds', async () => ((await takeOf(id)).cameras[0]?.frames ?? 0) >= 50);
    await faults.during(3000, nothingIsWritten('EIO'));
    expect(
      (
        await appliance.until('a word in the health', async () => {
          const found = await health();
          return found?.state === 'degraded' ? found : null;
        })
      ).reason,
    ).toMatch(/the disk of the masters/);
    await appliance.until('recording', async () => (await takeOf(id)).state === 'recording');
    await appliance.until('more frames', async () => ((await takeOf(id)).cameras[0]?.frames ?? 0) >= 130);
    await appliance.post(`/api/takes/${id}/stop`);
    kept = await appliance.until('the end', async () => {
      const take = await takeOf(id);
      return take.state === 'verified' ? take : null;
    });
    const { manifest } = await readTake(masters, id);
    const camera = manifest.cameras.cam0;
    expect(kept.cameras[0]?.droppedFrames).toBeGreaterThan(50);
    expect(camera?.segments[0]?.frames).toBeGreaterThanOrEqual(50);
    expect(camera?.segments.length).toBeGreaterThan(1);
  });

  test('keeps everything else running if takes are damaged or strange', async () => {
    const { folder } = await readTake(masters, kept.id);
    const lay = async (name: string, change: (text: string) => string) => {
      const copy = join(masters, 'takes', `20200101T000000Z-${name}`);
      await cp(folder, copy, { recursive: true });
      const text = await readFile(join(copy, 'take.json'), 'utf8');
      await writeFile(join(copy, 'take.json'), change(text.replaceAll(kept.id, name)));
    };
    await lay('month31', (text) => text.replace(/"startedAt": "\d{4}-\d\d/, '"startedAt": "2026-31'));
    await lay('empty', () => '');
    await lay('zeros', (text) => '\0'.repeat(text.length));
    await lay('filter', (text) => text.replace('yuv420p', 'yuv420p,metadata=print:file=/tmp/x'));
    await symlink('/etc', join(masters, 'takes', '20200101T000000Z-etc'));
    await mkdir(join(masters, 'takes', 'lost+found'));
    const takes = await appliance.get<Take[]>('/api/takes');
    const states = Object.fromEntries(takes.map(({ id, state }) => [id, state]));
    expect(states).toEqual({
      month31: 'failed',
      empty: 'failed',
      zeros: 'failed',
      filter: 'failed',
      [kept.id]: 'verified',
    });
    expect(takes.find(({ id }) => id === 'month31')?.cameras[0]?.reason).toContain('take.json is damaged');
    const master = await fetch(`${appliance.url}/api/takes/empty/masters/cam0`, { method: 'HEAD' });
    expect(master.status).toBe(200);
    await appliance.until('a word in the health', async () =>
      (await health())?.reason?.includes('take.json is damaged of take'),
    );
    const removed = await fetch(`${appliance.url}/api/takes/zeros`, { method: 'DELETE' });
    expect(removed.status).toBe(204);
  });

  test('finds a flipped bit when somebody asks', async () => {
    const { folder, manifest } = await readTake(masters, kept.id);
    const file = join(folder, manifest.cameras.cam0?.segments[0]?.file ?? '');
    const handle = await open(file, 'r+');
    const at = Math.floor((await handle.stat()).size / 2);
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
    await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 0x10]), 0, 1, at);
    await handle.close();
    const asked = await fetch(`${appliance.url}/api/takes/${kept.id}/verify`, { method: 'POST' });
    expect(asked.status).toBe(202);
    const damaged = await appliance.until('the damage', async () => {
      const take = await takeOf(kept.id);
      return take.state === 'failed' ? take : null;
    });
    expect(damaged.cameras[0]?.reason).toMatch(/^segment 1 is damaged, found 2\d\d\d-/);
    await appliance.until('a word in the health', async () =>
      (await health())?.reason?.includes(`kept masters are damaged: cam0 of take ${kept.id}`),
    );
    const refused = await fetch(`${appliance.url}/api/takes/empty/verify`, { method: 'POST' });
    expect(refused.status).toBe(409);
  });

  test.each([
    ['cannot be written', nothingIsWritten('EROFS')],
    ['cannot be read', [...nothingIsWritten('EIO'), 'openread EIO only take.json'] satisfies DiskRule[]],
  ])('continues a take if the supervisor starts while the disk %s', async (_, rules) => {
    const { id } = await appliance.post<Take>('/api/takes');
    const part = async () => (await takeOf(id)).cameras[0];
    await appliance.until('two seconds', async () => ((await part())?.frames ?? 0) >= 50);
    await faults.set(rules);
    const supervisor = (await processesNaming(appliance.data)).find(({ command }) =>
      command.includes('supervisor/main.ts'),
    );
    const output = appliance.output().length;
    killIfThere(supervisor?.pid ?? 0);
    await appliance.until('it tries to go on', async () =>
      /continuing a take|cannot be read/.test(appliance.output().slice(output)),
    );
    await faults.heal();
    await appliance.until('it records', async () => {
      const before = (await part())?.frames ?? 0;
      await sleep(1000);
      return before > 0 && ((await part())?.frames ?? 0) > before;
    });
    await appliance.post(`/api/takes/${id}/stop`);
    await appliance.until('the end', async () => (await takeOf(id)).state === 'verified');
    const { manifest } = await readTake(masters, id);
    expect(manifest.cameras.cam0).toMatchObject({ state: 'verified' });
    expect(manifest.cameras.cam0?.frames).toBeGreaterThanOrEqual(75);
  });
});
