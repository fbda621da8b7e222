import { describe, expect, test } from 'vitest';
import {
  cameraFixture,
  feedFixture,
  sourceFixture,
  statusFixture,
  takeCameraFixture,
  takeFixture,
} from '../../testing/fixture.ts';
import { endOfMaster, recordViewOf, takeOfFeed } from './record-view.ts';

const rolling = takeCameraFixture({ state: 'recording', verified: false });
const running = (cameras = [rolling]) =>
  statusFixture({
    cameras: [cameraFixture()],
    recording: {
      state: 'recording',
      take: takeFixture({ state: 'recording', stoppedAt: null, cameras }),
      remainingS: 7200,
      refusal: null,
    },
  });

describe('idle', () => {
  test('names every camera that a take would record', () => {
    const view = recordViewOf(statusFixture({ cameras: [cameraFixture()] }));
    expect(view.cameras.map(({ label, state }) => `${label}: ${state}`)).toEqual([
      'Test picture: idle',
      'stage-left: idle',
    ]);
    expect(view).toMatchObject({ stoppable: null, summary: '2 cameras ready', trouble: false });
  });

  test('does not count remote feeds, which have no master here', () => {
    const sources = [sourceFixture(), sourceFixture({ id: 'balcony', kind: 'mjpeg', state: 'waiting' })];
    expect(recordViewOf(statusFixture({ sources })).summary).toBe('1 camera ready');
  });

  test('names the cameras that are not ready, and says when there is none', () => {
    const away = cameraFixture({ online: false });
    expect(recordViewOf(statusFixture({ cameras: [away] })).summary).toBe('1 of 2 cameras ready');
    expect(recordViewOf(statusFixture({ sources: [] })).summary).toBe('No camera to record yet');
  });

  test('does not count a camera as ready that sends far fewer frames than requested', () => {
    const reason = 'The camera sends 3 of the 30 frames a second that were asked for.';
    const view = recordViewOf(statusFixture({ sources: [sourceFixture({ reason })] }));
    expect(view).toMatchObject({ summary: '0 of 1 cameras ready', cameras: [{ reason }] });
  });

  test('shows the shortest time left among the connected cameras', () => {
    const short = cameraFixture({ remainingS: 600 });
    expect(recordViewOf(statusFixture({ cameras: [short] })).remaining).toEqual({
      seconds: 600,
      where: 'stage-left',
    });
    expect(recordViewOf(statusFixture({ cameras: [{ ...short, online: false }] })).remaining).toEqual({
      seconds: 23_400,
      where: null,
    });
  });
});

test('shows a rejected start, even to somebody at a button; cameras of one name stay apart', () => {
  const at = '2026-11-22T12:00:00.000Z';
  const refusal = { at, code: 'DISK_RESERVE_REACHED', message: 'No camera records: the disk is full.' };
  const recording = { state: 'idle', take: takeFixture(), remainingS: null, refusal } as const;
  expect(recordViewOf(statusFixture({ recording })).last).toEqual({
    text: 'Not started: No camera records: the disk is full.',
    bad: true,
  });
  const twins = ['id-1', 'id-2'].map((deviceId) => ({ ...rolling, device: 'left', deviceId }));
  expect(new Set(recordViewOf(running(twins)).cameras.map(({ key }) => key)).size).toBe(2);
});

describe('the rate of incoming frames', () => {
  const rates = (over: Parameters<typeof statusFixture>[0]) =>
    recordViewOf(statusFixture(over)).cameras.map(({ fps }) => fps);

  test('is that of the feed of the same camera', () => {
    const linked = cameraFixture({ sources: [sourceFixture({ id: 'stage' })] });
    const stage = feedFixture({
      id: 'stage',
      fps: 25,
      publisher: { kind: 'whip', camera: 'a1b2c3', sinceMs: 1 },
    });
    expect(rates({ cameras: [linked], feeds: [feedFixture(), stage] })).toEqual([30, 25]);
  });

  test('is unknown without a feed or for a camera that is away', () => {
    expect(rates({ feeds: [] })).toEqual([null]);
    const away = cameraFixture({ online: false, sources: [sourceFixture({ id: 'cam0' })] });
    expect(rates({ sources: [], cameras: [away] })).toEqual([null]);
  });
});

describe('finishing', () => {
  const finishing = (...cameras: Parameters<typeof takeCameraFixture>[0][]) => {
    const take = takeFixture({ state: 'finishing', cameras: cameras.map(takeCameraFixture) });
    return recordViewOf(
      statusFixture({ recording: { state: 'finishing', take, remainingS: null, refusal: null } }),
    ).finishing;
  };

  test('the slowest camera counts', () => {
    const slow = { state: 'finishing' as const, finishing: { done: 0.2, remainingS: 40 } };
    const quick = { state: 'finishing' as const, finishing: { done: 0.6, remainingS: 12 } };
    expect(finishing(slow, quick, {})).toEqual({ done: 0.2, remainingS: 40 });
  });

  test('shows no time if one camera has none, and nothing if no appliance reports any', () => {
    const unknown = { state: 'finishing' as const, finishing: { done: 0, remainingS: null } };
    const quick = { state: 'finishing' as const, finishing: { done: 0.6, remainingS: 12 } };
    expect(finishing(unknown, quick)).toEqual({ done: 0, remainingS: null });
    expect(finishing({ state: 'finishing' })).toBeNull();
  });
});

describe('the last take', () => {
  const after = (cameras: Parameters<typeof running>[0], state: 'verified' | 'failed') =>
    recordViewOf(
      statusFixture({
        recording: {
          state: 'idle',
          take: takeFixture({ state, cameras: cameras ?? [] }),
          remainingS: null,
          refusal: null,
        },
      }),
    ).last;

  test('appears once it is over, with what is wrong with it', () => {
    expect(recordViewOf(statusFixture()).last).toBeNull();
    expect(recordViewOf(running()).last).toBeNull();
    const good = takeCameraFixture();
    const bad = takeCameraFixture({ camera: 'cam1', state: 'failed', verified: false });
    expect(after([good], 'verified')).toEqual({ text: 'Last take verified', bad: false });
    expect(after([good, bad], 'failed')).toEqual({ text: 'Last take failed on cam1', bad: true });
    expect(after([bad, { ...bad, camera: 'cam2' }], 'failed')?.text).toBe('Last take failed on 2 cameras');
    expect(after([{ ...good, droppedFrames: 2 }], 'verified')).toEqual({
      text: 'Last take verified, 2 frames dropped',
      bad: true,
    });
  });
});

describe('a take', () => {
  test('can be stopped while recording', () => {
    const view = recordViewOf(running());
    expect(view).toMatchObject({ phase: 'recording', summary: 'Recording 1 camera', trouble: false });
    expect(view.stoppable?.id).toBe('20261122t112000-k3f9');
  });

  test('with a failed camera is not shown as a good one, and the failed one comes first', () => {
    const failed = takeCameraFixture({
      camera: 'cam0',
      device: 'a1b2c3',
      state: 'failed',
      reason: 'disk removed',
    });
    const view = recordViewOf(running([rolling, failed]));
    expect(view.summary).toBe('Recording 1 of 2 cameras, 1 failed');
    expect(view.trouble).toBe(true);
    expect(view.cameras).toMatchObject([
      { label: 'stage-left · cam0', reason: 'disk removed' },
      { state: 'recording' },
    ]);
  });

  test('that drops frames says so', () => {
    const view = recordViewOf(running([{ ...rolling, droppedFrames: 1 }]));
    expect(view.summary).toBe('Recording 1 camera, 1 frame dropped');
    expect(view.trouble).toBe(true);
  });

  test('leaves room for the next one while it is finishing or over', () => {
    const take = takeFixture();
    for (const state of ['finishing', 'failed', 'idle'] as const) {
      const view = recordViewOf(
        statusFixture({ recording: { state, take, remainingS: null, refusal: null } }),
      );
      expect(view.stoppable).toBeNull();
    }
  });

  test('says for each feed whether its camera records', () => {
    const left = { ...rolling, camera: 'left', device: 'a1b2c3' };
    const failed = { ...left, camera: 'right', state: 'failed' as const, droppedFrames: 3 };
    const status = running([left, failed]);
    expect(takeOfFeed(status, 'left', null)).toEqual({ state: 'recording', droppedFrames: 0 });
    expect(takeOfFeed(status, 'right', 'stage-left')).toEqual({ state: 'failed', droppedFrames: 3 });
    expect(takeOfFeed(status, 'other', 'stage-left')).toEqual({ state: 'recording', droppedFrames: 0 });
    expect(takeOfFeed(status, 'cam0', null)).toBeNull();
    expect(takeOfFeed(running([{ ...left, state: 'starting' }]), 'left', null)).toBeNull();
    expect(takeOfFeed(statusFixture({ sources: [sourceFixture()] }), 'cam0', null)).toBeNull();
  });
});

test('a camera that fell out of the running take comes first and is trouble', () => {
  const reason = 'no frames arrive; recording continues once they do';
  const out = takeCameraFixture({ camera: 'balcony', state: 'starting', reason, verified: false });
  const view = recordViewOf(running([rolling, out]));
  expect(view).toMatchObject({ trouble: true, summary: 'Recording 1 of 2 cameras' });
  expect(view.cameras.map(({ label }) => label)).toEqual(['balcony', 'Test picture']);
  expect(recordViewOf(running([rolling, { ...out, reason: null }])).trouble).toBe(false);
});

test('says what removing a source does to the running take', () => {
  expect(endOfMaster(running(), 'cam0')).toContain('its master would end now');
  expect(endOfMaster(running(), 'balcony')).toBe('');
  expect(endOfMaster(running([{ ...rolling, device: 'stage-left' }]), 'cam0')).toBe('');
  expect(endOfMaster(statusFixture(), 'cam0')).toBe('');
});
