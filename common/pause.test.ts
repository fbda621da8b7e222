import { expect, test } from 'vitest';
import { pause, untilAborted } from './pause.ts';

test('an abort ends a pause early and is not an error', async () => {
  const controller = new AbortController();
  const waiting = pause(60_000, controller.signal);
  controller.abort(new Error('enough'));
  await waiting;
  await pause(60_000, controller.signal);
});

test('a pause without an abort lasts its full length', async () => {
  let over = false;
  const waiting = pause(20, new AbortController().signal).then(() => {
    over = true;
  });
  await Promise.resolve();
  expect(over).toBe(false);
  await waiting;
  expect(over).toBe(true);
});

test('waiting for an abort ends when it happens, or at once if it already has', async () => {
  const controller = new AbortController();
  const waiting = untilAborted(controller.signal);
  controller.abort();
  await waiting;
  await untilAborted(controller.signal);
});
