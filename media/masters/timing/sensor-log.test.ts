import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpawningChildHost } from '../../../common/child-host.fake.ts';
import { SensorClock } from '../../capture/sensor-clock.ts';
import { parseSensorLog, SensorLog } from './sensor-log.ts';

const logger = pino({ level: 'silent' });

describe('SensorLog', () => {
  let folder: string;
  let pts: string;
  let file: string;
  let clocks: SensorClock[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sensor-log-'));
    [pts, file] = [join(folder, 'cam0.pts'), join(folder, '0001.sensor')];
    clocks = [];
  });

  afterEach(async () => {
    for (const clock of clocks) await clock.run(AbortSignal.abort());
    await rm(folder, { recursive: true, force: true });
  });

  function newClock(): SensorClock {
    const clock = new SensorClock({ host: new SpawningChildHost(), logger, id: 'cam0', file: pts });
    clocks.push(clock);
    return clock;
  }
  const numbers = async () => parseSensorLog(await readFile(file, 'utf8')).map(({ number }) => number);

  it('begins a few seconds before its segment, and a resumed one with everything known', async () => {
    const times = Array.from({ length: 300 }, (_, i) => `${i * 40}.000\n`);
    await writeFile(pts, `# timecode format v2\n${times.join('')}`);
    const clock = newClock();
    await using fresh = new SensorLog(file, () => clock, { resumed: false, logger });
    await fresh.poll();
    await fresh.poll();
    expect(await numbers()).toEqual(Array.from({ length: 126 }, (_, i) => 174 + i));
    await rm(file);
    const another = newClock();
    await using resumed = new SensorLog(file, () => another, { resumed: true, logger });
    await resumed.poll();
    expect(await numbers()).toHaveLength(300);
  });

  it('leaves no file without sensor data, and no recording ends because it cannot be written', async () => {
    await using silent = new SensorLog(file, () => undefined, { resumed: false, logger });
    await silent.poll();
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
    await writeFile(pts, '# timecode format v2\n0.000\n');
    const clock = newClock();
    await using nowhere = new SensorLog(join(folder, 'no/such'), () => clock, { resumed: false, logger });
    await nowhere.poll();
  });

  it('is read back up to its last complete line after any crash', () => {
    const ticks = parseSensorLog('7 0 0 1795000000000.250\n\0\0\0\n7 1 33.342 -\n7 2 66.6');
    expect(ticks).toEqual([
      { pipeline: '7', number: 0, timeMs: 0, deliveredAtMs: 1_795_000_000_000.25 },
      { pipeline: '7', number: 1, timeMs: 33.342, deliveredAtMs: null },
    ]);
    fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseSensorLog(text))));
  });
});
