import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import pino from 'pino';
import { expect, test } from 'vitest';
import { type Device, deviceSchema } from '../../contract/index.ts';
import { backendTarget, ownPaths } from './own-paths.ts';
import { mergeDevices, readDevices, UpstreamDevices } from './upstream-devices.ts';

const ours: Device = {
  id: 'usb-cam',
  name: 'Ours',
  kind: 'v4l2',
  driver: 'uvcvideo',
  bus: 'usb-1',
  path: '/dev/video0',
  byId: null,
  byPath: null,
  serial: null,
  formats: [],
  controls: [],
  busy: false,
  note: null,
  source: null,
  label: 'Ours',
  use: 'unused',
};

test('accepts devices of our shape unchanged, and others as far as they match', () => {
  const list = [
    { ...ours, id: 'b' },
    { id: 7, label: 'Webcam', device: '/dev/video2', extra: 1 },
    { name: 'no id' },
  ];
  const read = readDevices({ devices: list });
  expect(read).toMatchObject([
    { id: 'b', name: 'Ours' },
    { id: '7', name: 'Webcam', path: '/dev/video2', note: 'a camera of the backend behind this hub' },
  ]);
  expect(readDevices(list)).toEqual(read);
});

test('lists only devices, whatever a backend answers', () => {
  fc.assert(
    fc.property(fc.anything(), (body) => {
      for (const device of readDevices(body)) expect(deviceSchema.safeParse(device).success).toBe(true);
    }),
  );
});

test('ids stay unique, ours first', () => {
  const merged = mergeDevices([ours], [ours, ours, { ...ours, id: 'other' }]);
  expect(merged.map(({ id }) => id)).toEqual([
    'usb-cam',
    'backend:usb-cam',
    'backend:backend:usb-cam',
    'other',
  ]);
});

test('merges the list of the backend, and shows ours alone while it is away, silent or invalid', async () => {
  let body: string | null = JSON.stringify([{ id: 'x' }]);
  const server = createServer((_, response) => {
    if (body !== null) response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const log = pino({ level: 'silent' });
  const devices = new UpstreamDevices({ upstream, log, timeoutMs: 20_000 });
  const ids = async (from = devices) => (await from.mergedWith([ours])).map(({ id }) => id);
  expect(await ids()).toEqual(['usb-cam', 'x']);
  const backendId = (id: string) => devices.backendId(id);
  expect([backendId('x'), backendId('usb-cam')]).toEqual(['x', null]);
  const isOurs = ownPaths(new Set(), backendId);
  expect(isOurs('/api/devices/x/controls')).toBe(false);
  expect(isOurs('/api/devices/usb-cam/controls')).toBe(true);
  expect(isOurs('/api/devices/%/controls')).toBe(true);
  body = JSON.stringify([{ id: 'usb-cam' }, { id: 'a b' }]);
  expect(await ids()).toEqual(['usb-cam', 'backend:usb-cam', 'a b']);
  expect(isOurs('/api/devices/backend:usb-cam/controls')).toBe(false);
  expect(isOurs('/api/devices/usb-cam/controls')).toBe(true);
  expect(backendTarget('/api/devices/backend%3Ausb-cam/controls?x=1/2', backendId)).toBe(
    '/api/devices/usb-cam/controls?x=1/2',
  );
  expect(backendTarget('/api/devices/a%20b/controls', backendId)).toBe('/api/devices/a%20b/controls');
  expect(backendTarget('/api/devices/other/controls', backendId)).toBe('/api/devices/other/controls');
  body = '<html>';
  expect(await ids()).toEqual(['usb-cam']);
  body = null;
  expect(await ids(new UpstreamDevices({ upstream, log, timeoutMs: 300 }))).toEqual(['usb-cam']);
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  expect(await ids()).toEqual(['usb-cam']);
});
