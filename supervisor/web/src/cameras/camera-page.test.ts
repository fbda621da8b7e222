import { expect, test } from 'vitest';
import { cameraFixture, statusFixture } from '../../testing/fixture.ts';
import { cameraOfDevice, cameraPageUrl } from './camera-page.ts';

test.each([
  ['192.168.7.21', 'http://192.168.7.21/#/takes'],
  ['fd00::21', 'http://[fd00::21]/#/takes'],
  ['fe80::1%eth0', null],
])('the page of a camera at %s is %s', (address, url) => {
  expect(cameraPageUrl(cameraFixture({ address }), { page: 'takes' })).toBe(url);
});

test('a camera that is away has no page', () => {
  expect(cameraPageUrl(cameraFixture({ online: false }), { page: 'takes' })).toBeNull();
});

test('a take names its device by name or id', () => {
  const status = statusFixture({ cameras: [cameraFixture()] });
  expect(cameraOfDevice(status, 'stage-left')?.id).toBe('a1b2c3');
  expect(cameraOfDevice(status, 'a1b2c3')?.name).toBe('stage-left');
  expect(cameraOfDevice(status, 'gone')).toBeNull();
});
