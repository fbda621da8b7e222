import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OtaError } from '../errors.ts';
import type { Assignment } from '../hawkbit/ddi.ts';
import { type HawkbitLinkOptions, parseToken, stateOf, UpdaterTarget } from './hawkbit-link.ts';
import type { UpdateView } from './types.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hawkbit-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const idle: UpdateView = {
  installedVersion: '1.0.0',
  compatible: null,
  latestVersion: null,
  releaseNotes: null,
  state: 'idle',
  progressPercent: null,
  reason: null,
  slots: [],
  lastAttempt: null,
};
const assignment: Assignment = {
  actionId: '7',
  version: '1.1.0',
  url: 'http://x/y.raucb',
  sha256: 'a'.repeat(64),
  sizeBytes: 1,
  update: 'forced',
  mayInstall: true,
};
const attempt = (outcome: 'committed' | 'rolled-back', at: string) => ({
  version: '1.1.0',
  at,
  outcome,
  reason: outcome === 'committed' ? null : 'no frames from cam0',
  stages: [],
});

describe('reports to the server', () => {
  const since = '2026-01-01T00:00:00.000Z';
  it.each<[Partial<UpdateView>, unknown]>([
    [{ state: 'installing' }, { type: 'working', detail: 'installing' }],
    [{ state: 'trial' }, { type: 'working', detail: 'trial' }],
    [{ lastAttempt: attempt('committed', '2026-01-01T00:01:00.000Z') }, { type: 'done' }],
    [
      { state: 'rolled-back', lastAttempt: attempt('rolled-back', '2026-01-01T00:01:00.000Z') },
      { type: 'failed', reason: 'no frames from cam0' },
    ],
    [{ lastAttempt: attempt('rolled-back', '2025-12-31T00:00:00.000Z') }, { type: 'waiting', detail: null }],
    [{ installedVersion: '1.1.0' }, { type: 'done' }],
  ])('%j', (change, expected) => {
    expect(stateOf({ ...idle, ...change }, '1.1.0', since)).toEqual(expected);
  });
});

describe('an assignment', () => {
  const targetOf = (
    install: () => Promise<UpdateView>,
    cancel: () => Promise<boolean> = async () => true,
  ): UpdaterTarget => {
    const options: HawkbitLinkOptions = {
      updater: { install, cancel, status: () => idle },
      settings: () => {
        throw new Error('not asked for here');
      },
      deviceId: 'device-1',
      attributes: () => ({}),
      folder,
      fetch,
      logger: pino({ level: 'silent' }),
      now: () => new Date('2026-01-01T00:00:00Z'),
    };
    return new UpdaterTarget(options);
  };

  it('is remembered across a restart', async () => {
    const install = vi.fn(async () => idle);
    const before = targetOf(install);
    expect(before.assignmentState(assignment)).toEqual({ type: 'unknown' });
    before.begin(assignment);
    await vi.waitFor(() => expect(install).toHaveBeenCalledOnce());
    const after = targetOf(install);
    await after.load();
    expect(after.assignmentState(assignment).type).toBe('waiting');
    expect(after.assignmentState({ ...assignment, actionId: '8' })).toEqual({ type: 'unknown' });
  });

  it('is cancelled while it runs; what the owner installs meanwhile is unaffected', async () => {
    const cancel = vi.fn(async () => false);
    const target = targetOf(async () => idle, cancel);
    expect(await target.cancel(assignment.actionId)).toBe(true);
    expect(cancel).not.toHaveBeenCalled();
    target.begin(assignment);
    expect(await target.cancel(assignment.actionId)).toBe(false);
    expect(cancel).toHaveBeenCalledOnce();
  });

  it('restarts after a take, and is returned if it is refused', async () => {
    const taking = targetOf(() => Promise.reject(new OtaError('TAKE_RUNNING', 'a take is running')));
    taking.begin(assignment);
    await vi.waitFor(() => expect(taking.assignmentState(assignment)).toEqual({ type: 'unknown' }));
    const refusing = targetOf(() => Promise.reject(new OtaError('BUNDLE_NOT_FOUND', 'no such bundle')));
    refusing.begin(assignment);
    const failed = { type: 'failed', reason: 'no such bundle' };
    await vi.waitFor(() => expect(refusing.assignmentState(assignment)).toEqual(failed));
  });
});

it('a token states its kind, or is the target’s', () => {
  expect(parseToken('GatewayToken abc\n')).toEqual({ kind: 'GatewayToken', value: 'abc' });
  expect(parseToken(' abc\n')).toEqual({ kind: 'TargetToken', value: 'abc' });
});
