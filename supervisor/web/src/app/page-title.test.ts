import { expect, test } from 'vitest';
import { feedFixture, statusFixture } from '../../testing/fixture.ts';
import { titleOf } from './page-title.ts';

const status = statusFixture({ feeds: [feedFixture({ id: 'cam0', label: 'Stage left' })] });
const { name } = status.device;

test('says what is shown, and on which appliance', () => {
  expect(titleOf({ page: 'live', feed: null }, status)).toBe(name);
  expect(titleOf({ page: 'live', feed: 'cam0' }, status)).toBe(`Stage left · ${name}`);
  expect(titleOf({ page: 'live', feed: 'gone' }, status)).toBe(name);
  expect(titleOf({ page: 'takes' }, status)).toBe(`Takes · ${name}`);
  expect(titleOf({ page: 'system' }, null)).toBe('Rushlight');
});

test('has a dot while the appliance records', () => {
  const recording = { ...status, recording: { ...status.recording, state: 'recording' as const } };
  expect(titleOf({ page: 'cameras' }, recording)).toBe(`● Cameras · ${name}`);
});
