import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpawningChildHost } from '../../common/child-host.fake.ts';
import { SensorClock } from './sensor-clock.ts';

const header = '# timecode format v2\n';

describe('SensorClock', () => {
  let folder: string;
  let file: string;
  let warnings: number;
  let clocks: SensorClock[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sensor-clock-'));
    file = join(folder, 'cam0.pts');
    warnings = 0;
    clocks = [];
  });

  afterEach(async () => {
    for (const clock of clocks) await clock.run(AbortSignal.abort());
    await rm(folder, { recursive: true, force: true });
  });

  function newClock(trimBytes = 1e9): SensorClock {
    const host = new SpawningChildHost();
    const count = () => {
      warnings += 1;
    };
    const logger = pino({ level: 'warn' }, { write: count });
    const clock = new SensorClock({ host, logger, id: 'cam0', file, trimBytes });
    clocks.push(clock);
    return clock;
  }

  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `${(from + i) * 40}.000\n`).join('');
  const numbers = (clock: SensorClock) => clock.since(0).ticks.map(({ number }) => number);
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

  it('reports each frame once, and when the last one was written', async () => {
    const clock = newClock();
    await clock.look();
    expect(clock.since(0).ticks).toEqual([]);
    await writeFile(file, `${header}0.000\n40.0`);
    await clock.look();
    await appendFile(file, '01\n80.002\n');
    const { next } = clock.since(0);
    await clock.look();
    const { ticks } = clock.since(next);
    expect(ticks.map(({ timeMs, number }) => [timeMs, number])).toEqual([
      [40.001, 1],
      [80.002, 2],
    ]);
    expect(ticks.map(({ deliveredAtMs }) => deliveredAtMs)).toEqual([null, (await stat(file)).mtimeMs]);
  });

  it('recognises the file of another pipeline and reads the previous one to its end', async () => {
    const clock = newClock();
    await writeFile(file, header + lines(0, 3));
    await clock.look();
    await appendFile(file, lines(3, 5));
    await rm(file);
    await writeFile(file, header + lines(0, 2));
    await clock.look();
    const { ticks } = clock.since(0);
    expect(ticks.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 0, 1]);
    expect(new Set(ticks.slice(0, 5).map(({ pipeline }) => pipeline)).size).toBe(1);
    expect(ticks[5]?.pipeline).not.toBe(ticks[4]?.pipeline);
  });

  it('keeps the file short while it is written, loses no line, and its successor continues the count', async () => {
    const clock = newClock(64 * 1024);
    await writeFile(file, header);
    let written = 0;
    let next = 0;
    let told = 0;
    for (let round = 0; round < 40; round += 1) {
      await appendFile(file, lines(written, written + 1000));
      written += 1000;
      await clock.look();
      const news = clock.since(next);
      expect(news.ticks.map(({ number }) => number)).toEqual(upTo(1000).map((i) => told + i));
      told += news.ticks.length;
      next = news.next;
    }
    const { size, blocks } = await stat(file);
    expect(size).toBeGreaterThan(400_000);
    expect(blocks * 512).toBeLessThan(150_000);

    const successor = newClock();
    await appendFile(file, lines(written, written + 10));
    await successor.look();
    const { ticks } = successor.since(0);
    expect(ticks.at(-1)).toMatchObject({ number: written + 9, timeMs: (written + 9) * 40 });
    expect(ticks[0]?.pipeline).toBe(clock.since(0).ticks.at(-1)?.pipeline);
  });

  it('says once that a file holds something else, and follows the next one', async () => {
    const clock = newClock();
    await writeFile(file, 'what is this\n');
    for (let i = 0; i < 3; i += 1) await clock.look();
    expect(warnings).toBe(1);
    await rm(file);
    await writeFile(file, header + lines(0, 2));
    await clock.look();
    expect(numbers(clock)).toEqual([0, 1]);
  });

  it('ends with its signal, after a last look', async () => {
    const clock = newClock();
    const ending = new AbortController();
    const running = clock.run(ending.signal);
    await writeFile(file, header + lines(0, 2));
    ending.abort();
    await running;
    expect(numbers(clock)).toEqual([0, 1]);
    await appendFile(file, lines(2, 3));
    await clock.look();
    expect(numbers(clock)).toEqual([0, 1]);
  });
});
