import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { statusSchema, takeSchema } from '../../../contract/index.ts';
import {
  cameraFixture,
  deviceFixture,
  statusFixture,
  takeCameraFixture,
  takeFixture,
} from '../../testing/fixture.ts';
import { type AppAction, type AppState, initialState, parseEvent, reduce } from './app-state.ts';

const after = (...actions: AppAction[]): AppState => actions.reduce(reduce, initialState);

test('the fixtures match the contract', () => {
  statusSchema.parse(statusFixture({ cameras: [cameraFixture()] }));
  takeSchema.parse(takeFixture());
});

describe('the link', () => {
  test('a retry does not hide how long the page has been stale', () => {
    const state = after(
      { type: 'lost', reason: 'one', atMs: 1000, retryAtMs: 2000 },
      { type: 'connecting' },
      { type: 'lost', reason: 'two', atMs: 5000, retryAtMs: 9000 },
    );
    expect(state.link).toEqual({ kind: 'lost', reason: 'two', sinceMs: 1000, retryAtMs: 9000 });
  });

  test('settings are outdated after a change, a loss or a silence', () => {
    const changed = after({ type: 'open' }, { type: 'event', event: { type: 'config', ok: true } });
    expect(changed.configEdition).toBe(1);
    const back = [{ type: 'lost', reason: 'x', atMs: 1, retryAtMs: 2 }, { type: 'open' }] as const;
    const found = back.reduce<AppState>(reduce, changed);
    expect(found.configEdition).toBe(2);
    // A silent stream was opened anew.
    expect(reduce(found, { type: 'open' }).configEdition).toBe(3);
  });

  test('the last status stays while the link is lost, and disappears when the key is rejected', () => {
    const lost = after(
      { type: 'status', status: statusFixture(), clockOffsetMs: 40 },
      { type: 'open' },
      { type: 'lost', reason: 'x', atMs: 1, retryAtMs: 2 },
    );
    expect(lost.status?.device.id).toBe('d00d');
    expect(lost.clockOffsetMs).toBe(40);
    expect(reduce(lost, { type: 'locked', reason: null })).toMatchObject({ status: null, takes: null });
  });

  test('remembers the version that served the page when the appliance is updated', () => {
    const status = statusFixture();
    const updated = statusFixture({ device: { ...status.device, version: '0.2.0' } });
    const state = after(
      { type: 'status', status },
      { type: 'event', event: { type: 'status', status: updated } },
    );
    expect(state.pageVersion).toBe('0.1.0');
    expect(state.status?.device.version).toBe('0.2.0');
  });
});

describe('feeds', () => {
  const feedsAfter = (status: ReturnType<typeof statusFixture>) =>
    after({ type: 'status', status: statusFixture() }, { type: 'event', event: { type: 'status', status } })
      .status?.feeds;

  test('a missing one whose source is there is offline', () => {
    expect(feedsAfter(statusFixture({ feeds: [] }))).toMatchObject([
      { id: 'cam0', state: 'offline', publisher: null },
    ]);
  });

  test('one whose source is gone is gone', () => {
    expect(feedsAfter(statusFixture({ feeds: [], sources: [] }))).toEqual([]);
  });

  test('a listed one is as the appliance reports it', () => {
    expect(feedsAfter(statusFixture())).toMatchObject([{ id: 'cam0', state: 'online' }]);
  });
});

describe('takes', () => {
  const running = takeFixture({
    id: 'new',
    startedAt: '2026-11-22T12:00:00.000Z',
    stoppedAt: null,
    state: 'recording',
    cameras: [takeCameraFixture({ state: 'recording', verified: false })],
  });
  const known = { type: 'takes', takes: [takeFixture({ id: 'old' })] } as const;

  test('a new take comes first, a known one is replaced', () => {
    const state = after(known, { type: 'event', event: { type: 'take', take: running } });
    expect(state.takes?.map(({ id }) => id)).toEqual(['new', 'old']);
    const failed = { ...running, state: 'failed' as const };
    const next = reduce(state, { type: 'event', event: { type: 'take', take: failed } });
    expect(next.takes?.map(({ id, state: taken }) => `${id} ${taken}`)).toEqual([
      'new failed',
      'old verified',
    ]);
  });

  test('a deleted take leaves the list', () => {
    const gone = { type: 'event', event: { type: 'take-removed', id: 'old' } } as const;
    expect(after(known, gone).takes).toEqual([]);
    expect(after(gone).takes).toBeNull();
  });

  test('the record bar shows a take’s event before the next status', () => {
    const state = after({ type: 'status', status: statusFixture() }, known, {
      type: 'event',
      event: { type: 'take', take: running },
    });
    expect(state.status?.recording).toMatchObject({ state: 'recording', take: { id: 'new' } });
  });

  test('events of an older take leave the running one on the record bar', () => {
    const status = statusFixture({
      recording: { state: 'recording', take: running, remainingS: 60, refusal: null },
    });
    const state = after(
      { type: 'status', status },
      {
        type: 'event',
        event: { type: 'take', take: takeFixture({ id: 'old' }) },
      },
    );
    expect(state.status?.recording).toMatchObject({ state: 'recording', take: { id: 'new' } });
  });

  test('a verified take makes the recorder idle', () => {
    const status = statusFixture({
      recording: { state: 'finishing', take: running, remainingS: 60, refusal: null },
    });
    const event = { type: 'take', take: { ...running, state: 'verified' } } as const;
    const state = after({ type: 'status', status }, { type: 'event', event });
    expect(state.status?.recording.state).toBe('idle');
  });
});

describe('devices', () => {
  const used = deviceFixture({ id: 'a', label: 'Left', use: 'used', source: 'left' });
  const listed = { type: 'devices', devices: [used], unplugged: [] } as const;
  const event = (change: Extract<AppAction, { type: 'event' }>['event']) =>
    ({ type: 'event', event: change }) as const;

  test('remembers a used camera that was pulled until it is back', () => {
    const pulled = after(listed, event({ type: 'device-removed', id: 'a' }));
    expect(pulled).toMatchObject({ devices: [], unplugged: [{ id: 'a', label: 'Left', feed: 'left' }] });
    const back = reduce(pulled, event({ type: 'device-added', device: used }));
    expect(back).toMatchObject({ devices: [{ id: 'a' }], unplugged: [] });
    expect(reduce(pulled, { type: 'device-forgotten', id: 'a' }).unplugged).toEqual([]);
  });

  test('drops one that nobody used or that the settings name', () => {
    const others = [deviceFixture({ id: 'b' }), deviceFixture({ id: 'c', use: 'settings', source: 'cam' })];
    const state = after(
      { ...listed, devices: others },
      event({ type: 'device-removed', id: 'b' }),
      event({ type: 'device-removed', id: 'c' }),
    );
    expect(state).toMatchObject({ devices: [], unplugged: [] });
  });

  test('a change replaces its camera', () => {
    const state = after(listed, event({ type: 'device-changed', device: { ...used, label: 'Right' } }));
    expect(state.devices?.map(({ label }) => label)).toEqual(['Right']);
  });
});

test('a failed take that was not stopped is not shown as idle', () => {
  const take = takeFixture({ state: 'failed', stoppedAt: null });
  const told = (failed: typeof take) =>
    after(
      { type: 'status', status: statusFixture() },
      { type: 'event', event: { type: 'take', take: failed } },
    ).status?.recording.state;
  expect(told(take)).toBe('failed');
  expect(told({ ...take, stoppedAt: take.startedAt })).toBe('idle');
});

test('ignores unknown events, and no text makes it throw', () => {
  expect(parseEvent('{"type":"device-removed","id":"x"}')).toEqual({ type: 'device-removed', id: 'x' });
  for (const data of ['', '{', 'null', '3', '{"type":"other"}', '{"type":7}', '[]']) {
    expect(parseEvent(data)).toBeNull();
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (data) => {
      const event = parseEvent(data);
      expect(event === null || typeof event.type === 'string').toBe(true);
    }),
  );
});
