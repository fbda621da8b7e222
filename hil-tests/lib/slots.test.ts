import { expect, test } from 'vitest';
import { parseSlots } from './slots.ts';

test("the selector's lines are read", () => {
  const text = 'booted=B\ncommitted=A\npending=B\nstarted=1\nboots=0\na=good\nb=trial\nnote=\nbootId=4f-1\n';
  expect(parseSlots(text)).toEqual({ booted: 'B', committed: 'A', pending: 'B', note: '', bootId: '4f-1' });
});

test('what is missing is empty', () => {
  expect(parseSlots('')).toEqual({ booted: '', committed: '', pending: '', note: '', bootId: '' });
});
