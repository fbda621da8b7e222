import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlackBox } from './black-box.ts';

const logger = pino({ level: 'silent' });
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'black-box-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function box(): Promise<BlackBox> {
  const result = new BlackBox(folder, logger);
  await result.load();
  return result;
}
const attempt = { version: '1.1.0', fromVersion: '1.0.0', slot: 'B' } as const;

describe('the black box', () => {
  it('is readable by whichever slot boots next: stages, log and outcome', async () => {
    const before = await box();
    await before.begin(attempt);
    await before.stage('download', true);
    before.log(['line 1', 'line 2']);
    await before.stage('restart into the trial', true, 'slot B');
    const after = await box();
    expect(after.open).toMatchObject({ ...attempt, outcome: null, log: ['line 1', 'line 2'] });
    expect(after.open?.stages.map(({ name }) => name)).toEqual(['download', 'restart into the trial']);
    await after.close('rolled-back', 'no frames from cam0');
    const last = (await box()).last;
    expect(last).toMatchObject({ outcome: 'rolled-back', reason: 'no frames from cam0' });
    expect((await box()).open).toBeNull();
  });

  it('keeps the last ten attempts and closes one that another replaces', async () => {
    const first = await box();
    for (let index = 0; index < 13; index++) await first.begin({ ...attempt, version: `1.${index}.0` });
    const again = await box();
    expect(again.attempts).toHaveLength(10);
    expect(again.attempts.at(-2)).toMatchObject({ version: '1.11.0', outcome: 'failed' });
    expect(again.open?.version).toBe('1.12.0');
  });

  it('starts nothing it cannot write, and does not stop a running attempt', async () => {
    const damaged = await box();
    await damaged.begin(attempt);
    // A folder in the way simulates a full or read-only disk, even for root.
    const [file, kept] = [join(folder, 'black-box.json'), join(folder, 'kept')];
    await rename(file, kept);
    await mkdir(join(file, 'inside'), { recursive: true });
    await damaged.stage('install', true);
    await damaged.close('rolled-back', 'no frames from cam0');
    expect(damaged.last).toMatchObject({ outcome: 'rolled-back', reason: 'no frames from cam0' });
    await expect(damaged.begin(attempt)).rejects.toThrow(expect.objectContaining({ code: 'STORE_FAILED' }));
    await rm(file, { recursive: true });
    await rename(kept, file);
    expect((await box()).open).toMatchObject({ version: '1.1.0', stages: [] });
  });

  it('sets a damaged box aside and continues', async () => {
    await writeFile(join(folder, 'black-box.json'), '{"schema":1,"attempts":[{');
    const after = await box();
    expect(after.last).toBeNull();
    expect(await readFile(join(folder, 'black-box.json.broken'), 'utf8')).toContain('attempts');
    await after.begin(attempt);
    expect((await box()).open?.version).toBe('1.1.0');
    expect((await readdir(folder)).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('records nothing if no attempt is open', async () => {
    const idle = await box();
    await idle.stage('nothing', true);
    idle.log(['nothing']);
    await idle.close('committed', null);
    expect(idle.last).toBeNull();
  });
});
