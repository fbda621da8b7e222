import { expect, it } from 'vitest';
import { LineThrottle } from './line-throttle.ts';

it('passes a limited number of lines a second and counts the others', () => {
  let nowMs = 0;
  const texts: string[] = [];
  const throttle = new LineThrottle(
    ({ text }) => texts.push(text),
    2,
    () => nowMs,
  );
  const push = (text: string) => throttle.push({ stream: 'stdout', text });
  for (const text of ['a', 'b', 'c', 'd']) push(text);
  nowMs = 999;
  push('e');
  expect(texts).toEqual(['a', 'b']);
  nowMs = 1000;
  push('f');
  expect(texts).toEqual(['a', 'b', '(3 more lines within a second, left out)', 'f']);
  push('g');
  push('h');
  throttle.flush();
  throttle.flush();
  expect(texts.slice(4)).toEqual(['g', '(1 more lines within a second, left out)']);
  expect(throttle.withheldTotal).toBe(4);
});
