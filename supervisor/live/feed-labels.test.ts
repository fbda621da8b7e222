import { expect, test } from 'vitest';
import { FeedLabels } from './feed-labels.ts';

test('a feed has the label of its source, even after that is no longer listed', () => {
  let listed = [{ id: 'cam0', label: 'Stage' }];
  const labels = new FeedLabels(() => listed);
  expect(labels.of('cam0')).toBe('Stage');
  listed = [];
  expect(labels.of('cam0')).toBe('Stage');
  listed = [{ id: 'cam0', label: 'Balcony' }];
  expect(labels.of('cam0')).toBe('Balcony');
});

test('a feed without a label is shown by its id', () => {
  expect(new FeedLabels(() => []).of('obs')).toBe('obs');
});

test('does not store a flood of names', () => {
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
