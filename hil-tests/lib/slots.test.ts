import { expect, test } from 'vitest';
import { parseSlots } from './slots.ts';

test('parses the lines of the selector', () => {
  const text = 'booted=B\ncommitted=A\npending=B\nstarted=1\nboots=0\na=good\nb=trial\nnote=\nbootId=4f-1\n';
  expect(parseSlots(text)).toEqual({ booted: 'B', committed: 'A', pending: 'B', note: '', bootId: '4f-1' });
});

test('treats missing values as empty', () => {
  expect(parseSlots('')).toEqual({ booted: '', committed: '', pending: '', note: '', bootId: '' });
});
