import { expect, test } from 'vitest';
import { FeedLabels } from './feed-labels.ts';

test('a feed is called as its source is, also once that is listed no longer', () => {
  let listed = [{ id: 'cam0', label: 'Stage' }];
  const labels = new FeedLabels(() => listed);
  expect(labels.of('cam0')).toBe('Stage');
  listed = [];
  expect(labels.of('cam0')).toBe('Stage');
  listed = [{ id: 'cam0', label: 'Balcony' }];
  expect(labels.of('cam0')).toBe('Balcony');
});

test('a feed of which nobody told a label is called by its id', () => {
  expect(new FeedLabels(() => []).of('obs')).toBe('obs');
});

test('a flood of names is not kept', () => {
  let listed = [{ id: 'first', label: 'First' }];
  const labels = new FeedLabels(() => listed);
  labels.of('first');
  for (let i = 0; i < 300; i++) {
    listed = [{ id: `f${i}`, label: `Feed ${i}` }];
    labels.of(`f${i}`);
  }
  listed = [];
  expect(labels.of('first')).toBe('first');
  expect(labels.of('f299')).toBe('Feed 299');
});
