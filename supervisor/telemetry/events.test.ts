import { expect, test } from 'vitest';
import type { Status, Take } from '../contract/index.ts';
import { cameraEvents, eventsBetween, refusalEvents, takeEvents } from './events.ts';
import { hubStatus, linkedCamera, sourceStatus, takeStatus } from './status.fixture.ts';

const recording = (take: Take | null): Status => {
  return hubStatus({ recording: { state: 'idle', take, remainingS: 1, refusal: null } });
};
const part = takeStatus().cameras[0] as Take['cameras'][number];
const take = (state: Take['state'], changes: Partial<Take> = {}) => {
  const stoppedAt = state === 'recording' || state === 'starting' ? null : '2026-11-22T11:00:10.000Z';
  return takeStatus({ state, stoppedAt, ...changes });
};
const types = (before: Status, now: Status) =>
  eventsBetween(before, now).map(({ payload }) => payload.event_type);

test('a take starts, ends, and is verified', () => {
  expect(types(recording(null), recording(take('starting')))).toEqual([]);
  expect(types(recording(take('starting')), recording(take('recording')))).toEqual(['started']);
  expect(types(recording(take('recording')), recording(take('finishing')))).toEqual(['finished']);
  expect(types(recording(take('finishing')), recording(take('verified')))).toEqual(['verified']);
  expect(types(recording(take('verified')), recording(take('verified')))).toEqual([]);
});

test('reports what happened between two checks in order', () => {
  const failed = take('failed', { cameras: [{ ...part, state: 'failed', reason: 'the disk is full' }] });
  const events = eventsBetween(recording(null), recording(failed), 'https://stage-hub.local/');
  expect(events.map(({ payload }) => payload.event_type)).toEqual([
    'started',
    'master_failed',
    'finished',
    'failed',
  ]);
  expect(events[1]?.payload).toMatchObject({ camera: 'cam0', reason: 'the disk is full' });
  expect(events[3]?.payload).toMatchObject({
    take: failed.id,
    size_gb: 0.01,
    duration_s: 10,
    failures: ['cam0: the disk is full'],
    url: 'https://stage-hub.local/#/takes',
  });
});

test('reports a failed camera at once and only once while others continue', () => {
  const two = [part, { ...part, camera: 'cam1' }];
  const broken = [part, { ...part, camera: 'cam1', state: 'failed', reason: 'unplugged' } as const];
  const before = recording(take('recording', { cameras: two }));
  const now = recording(take('recording', { cameras: broken }));
  expect(types(before, now)).toEqual(['master_failed']);
  expect(types(now, now)).toEqual([]);
});

test('does not mix the next take with the last one', () => {
  const before = recording(take('verified', { id: 'a' }));
  expect(types(before, recording(take('recording', { id: 'b' })))).toEqual(['started']);
});

test('reports cameras that are lost and return; a removed one is not lost', () => {
  const there = hubStatus({ cameras: [linkedCamera()], sources: [sourceStatus()] });
  const away = hubStatus({ cameras: [linkedCamera({ online: false })], sources: [sourceStatus()] });
  expect(eventsBetween(there, away).map(({ payload }) => payload)).toEqual([
    { event_type: 'lost', camera: 'left', id: 'rl-20000000cafe0001', reason: 'it is not connected' },
  ]);
  expect(types(away, there)).toEqual(['back']);
  expect(types(there, hubStatus({ cameras: [], sources: [] }))).toEqual([]);
  const state = (one: 'waiting' | 'starting' | 'running' | 'stopped') => {
    return hubStatus({ sources: [sourceStatus({ state: one })] });
  };
  expect(types(there, state('waiting'))).toEqual(['lost']);
  expect(types(state('waiting'), state('starting'))).toEqual([]);
  expect(types(state('starting'), there)).toEqual(['back']);
  expect(types(there, state('stopped'))).toEqual([]);
});

test('reports a refused start once, with its reason', () => {
  const refusal = { at: '2026-11-22T11:00:00.000Z', code: 'MASTERS_OFF', message: 'No camera records.' };
  const before = recording(null);
  const now = hubStatus({ recording: { ...before.recording, refusal } });
  expect(eventsBetween(before, now)).toEqual([
    {
      kind: 'refusal',
      payload: {
        event_type: 'start_refused',
        command: 'recording',
        code: refusal.code,
        message: refusal.message,
      },
    },
  ]);
  expect(types(now, now)).toEqual([]);
});

test('every type was announced', () => {
  const all: readonly string[] = [...takeEvents, ...cameraEvents, ...refusalEvents];
  const states = ['starting', 'recording', 'finishing', 'verified', 'failed'] as const;
  for (const from of states) {
    for (const to of states)
      expect(all).toEqual(expect.arrayContaining(types(recording(take(from)), recording(take(to)))));
  }
});
