import { expect, test } from 'vitest';
import { deviceSchema } from '../../../contract/index.ts';
import { deviceFixture, sourceFixture, statusFixture } from '../../testing/fixture.ts';
import { bestOfFormats, busName, deviceViews, offeredDevices } from './device-view.ts';

const of = (status = statusFixture({ sources: [] }), ...devices: ReturnType<typeof deviceFixture>[]) =>
  deviceViews(status, devices, []).map(({ id, state, reason }) => ({ id, state, reason }));

test('the fixture matches the contract', () => {
  deviceSchema.parse(deviceFixture());
});

test('a camera shows what it does, or what prevents it', () => {
  const source = sourceFixture({ id: 'cam', kind: 'v4l2', state: 'stalled', reason: 'No frame for 4 s.' });
  const status = statusFixture({ sources: [source] });
  expect(of(status, deviceFixture({ id: 'a', use: 'used', source: 'cam', busy: true }))).toEqual([
    { id: 'a', state: 'stalled', reason: 'No frame for 4 s.' },
  ]);
  const note = 'needs libcamera (rpicam-apps): not installed';
  expect(of(undefined, deviceFixture({ id: 'a', use: 'unused', note, busy: true }))).toEqual([
    { id: 'a', state: 'unusable', reason: 'Needs libcamera (rpicam-apps): not installed.' },
  ]);
  expect(of(undefined, deviceFixture({ id: 'a', use: 'offered', busy: true }))[0]).toMatchObject({
    state: 'busy',
    reason: expect.stringContaining('Close that program'),
  });
  expect(of(undefined, deviceFixture({ use: 'used', source: 'soon' }))[0]?.state).toBe('starting');
  expect(of(undefined, deviceFixture({ use: 'unused' }))[0]?.state).toBe('unused');
});

test('cameras that wait for a decision come first, unusable ones last', () => {
  const devices = [
    deviceFixture({ id: 'broken', note: 'does not answer' }),
    deviceFixture({ id: 'idle', use: 'unused' }),
    deviceFixture({ id: 'new' }),
  ];
  const away = [{ id: 'away', label: 'Away', feed: 'away' }];
  const views = deviceViews(statusFixture({ sources: [] }), devices, away);
  expect(views.map(({ id }) => id)).toEqual(['new', 'idle', 'away', 'broken']);
});

test('also lists local sources without a camera, but not remote feeds', () => {
  const waiting = sourceFixture({
    id: 'cam1',
    kind: 'v4l2',
    state: 'waiting',
    reason: 'x is not plugged in.',
  });
  const remote = sourceFixture({ id: 'far', kind: 'rtsp' });
  const status = statusFixture({ sources: [waiting, remote] });
  expect(of(status)).toEqual([{ id: 'source cam1', state: 'waiting', reason: 'x is not plugged in.' }]);
});

test('an unplugged camera that is back is not listed twice', () => {
  const device = deviceFixture({ id: 'a' });
  const views = deviceViews(statusFixture({ sources: [] }), [device], [{ id: 'a', label: 'A', feed: 'a' }]);
  expect(views.map(({ state }) => state)).toEqual(['offered']);
});

test('offers only what can be used', () => {
  const devices = [deviceFixture({ id: 'a' }), deviceFixture({ id: 'b', note: 'no' })];
  expect(offeredDevices([...devices, deviceFixture({ id: 'c', use: 'used' })]).map(({ id }) => id)).toEqual([
    'a',
  ]);
  expect(offeredDevices(null)).toEqual([]);
});

test('formats in short', () => {
  const device = deviceFixture();
  expect(bestOfFormats(device)).toEqual(['H.264 up to 1920×1080 at 30 fps', 'YUYV up to 640×480 at 30 fps']);
  const [format] = device.formats;
  if (format === undefined) throw new Error('no format');
  const bare = { ...format, sizes: [{ width: 640, height: 480, fps: [] }] };
  expect(bestOfFormats({ ...device, formats: [bare, { ...format, sizes: [] }] })).toEqual([
    'H.264 up to 640×480',
    'H.264',
  ]);
});

test('where it is plugged in', () => {
  expect(busName(deviceFixture())).toBe('USB 0000:01:00.0-1.2');
  expect(busName(deviceFixture({ bus: 'platform:vivid-000' }))).toBe('platform:vivid-000');
  expect(busName(deviceFixture({ kind: 'libcamera' }))).toBe('camera connector');
});
