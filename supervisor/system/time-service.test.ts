import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ClockReading } from '../platform/time/clock.ts';
import type { TimeRole } from '../platform/time/time-sources.ts';
import { isStepDue, roleToReport, TimeService, timeRole } from './time-service.ts';

const log = pino({ level: 'silent' });
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'time-service-'));
});

afterEach(() => rm(folder, { recursive: true }));

const off = (offsetMs: number | null): ClockReading => {
  return { synced: offsetMs !== null, offsetMs, uncertaintyMs: 1, source: null };
};

test('keeps following a hub that is away for a while', () => {
  const hub = { kind: 'follow', server: '10.0.0.1' } as const;
  const unknown = { kind: 'follow', server: null } as const;
  expect(roleToReport(hub, unknown)).toEqual(hub);
  expect(roleToReport(hub, { kind: 'follow', server: '10.0.0.2' })).toEqual({
    kind: 'follow',
    server: '10.0.0.2',
  });
  expect(roleToReport({ kind: 'serve' }, unknown)).toEqual(unknown);
  expect(roleToReport(hub, { kind: 'serve' })).toEqual({ kind: 'serve' });
});

test('a camera follows the hub that adopted it, and no other', () => {
  const link = {
    state: 'connected',
    id: 'h',
    name: 'hub',
    url: 'https://10.0.0.5:443',
    reason: null,
  } as const;
  expect(timeRole('hub', null)).toEqual({ kind: 'serve' });
  expect(timeRole('camera', link)).toEqual({ kind: 'follow', server: '10.0.0.5' });
  expect(timeRole('camera', { ...link, state: 'refused' })).toEqual({ kind: 'follow', server: null });
  expect(timeRole('camera', null)).toEqual({ kind: 'follow', server: null });
});

test('only a clock that is known to be far off must jump', () => {
  expect([null, off(null), off(0), off(-900), off(1001), off(-86_400_000)].map(isStepDue)).toEqual([
    ...[false, false, false, false, true, true],
  ]);
});

test('reports which time to follow, and lets the clock jump once nothing records', async () => {
  const role: TimeRole = { kind: 'follow', server: '10.0.0.1' };
  let recording = true;
  const stop = new AbortController();
  const time = new TimeService({
    folder,
    log,
    role: () => role,
    recording: () => recording,
    clock: { read: async () => off(-5000) },
  });
  const running = time.run(stop.signal);
  const told = async () => await readFile(join(folder, 'time'), 'utf8');
  await vi.waitFor(async () => expect(await told()).toBe('follow\n'), 10_000);
  expect(await readFile(join(folder, 'chrony', 'hub.sources'), 'utf8')).toContain('server 10.0.0.1 ');
  expect(time.latest?.offsetMs).toBe(-5000);
  recording = false;
  await vi.waitFor(async () => expect(await told()).toBe('follow step\n'), 15_000);
  stop.abort();
  await running;
}, 30_000);
