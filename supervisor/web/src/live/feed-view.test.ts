import { describe, expect, test } from 'vitest';
import { cameraFixture, feedFixture, sourceFixture, statusFixture } from '../../testing/fixture.ts';
import { conditionOf, originOf } from './feed-view.ts';

const nowhere = { source: null, camera: null };
const playing = { kind: 'playing' } as const;

describe('origin of a feed', () => {
  test('a source of this appliance', () => {
    const { source, camera } = originOf(statusFixture(), feedFixture());
    expect(source?.id).toBe('cam0');
    expect(camera).toBeNull();
  });

  test('a linked camera, by publisher', () => {
    const status = statusFixture({ cameras: [cameraFixture()] });
    const publisher = { kind: 'whip', camera: 'a1b2c3', sinceMs: 5 } as const;
    const { source, camera } = originOf(status, feedFixture({ id: 'left', publisher }));
    expect(camera?.name).toBe('stage-left');
    expect(source?.kind).toBe('rpicam');
  });

  test('an offline feed of a linked camera, by name', () => {
    const sources = [sourceFixture({ id: 'cam0' }), sourceFixture({ id: 'cam1', label: 'second' })];
    const status = statusFixture({ sources: [], cameras: [cameraFixture({ sources })] });
    const feed = feedFixture({ id: 'stage-left-cam1', state: 'offline', publisher: null });
    expect(originOf(status, feed).source?.label).toBe('second');
  });

  test('an unknown one', () => {
    expect(originOf(statusFixture({ sources: [] }), feedFixture({ id: 'guest' }))).toEqual(nowhere);
  });
});

describe('condition of a tile', () => {
  test('frames that arrive are live', () => {
    expect(conditionOf(feedFixture(), playing, nowhere, true).state).toBe('live');
  });

  test('the appliance’s state counts while it is fresh, otherwise the player’s', () => {
    const offline = feedFixture({ state: 'offline' });
    expect(conditionOf(offline, playing, nowhere, true)).toEqual({
      state: 'offline',
      reason: 'Nobody publishes this feed.',
    });
    expect(conditionOf(offline, playing, nowhere, false).state).toBe('live');
  });

  test('the reason is the nearest known cause', () => {
    const stalled = feedFixture({ state: 'stalled' });
    const frozen = sourceFixture({ state: 'stalled', reason: 'No frame for 4 s.' });
    expect(conditionOf(stalled, playing, { source: frozen, camera: null }, true)).toEqual({
      state: 'stalled',
      reason: 'No frame for 4 s.',
    });
    const away = cameraFixture({ online: false });
    expect(conditionOf(stalled, playing, { source: frozen, camera: away }, true).reason).toBe(
      'stage-left is not connected.',
    );
  });

  test('an offline feed of a running source is not blamed on the source', () => {
    const origin = { source: sourceFixture(), camera: null };
    expect(conditionOf(feedFixture({ state: 'offline' }), playing, origin, true).reason).toBe(
      'The source runs, but its picture does not arrive here.',
    );
  });

  test('a player that waits is reconnecting, one that asks is connecting', () => {
    const waiting = { kind: 'waiting', reason: 'Frames stopped arriving.', retryAtMs: 5 } as const;
    expect(conditionOf(feedFixture(), waiting, nowhere, true)).toEqual({
      state: 'reconnecting',
      reason: 'Frames stopped arriving.',
    });
    expect(conditionOf(feedFixture(), { kind: 'connecting' }, nowhere, true).state).toBe('connecting');
  });
});
