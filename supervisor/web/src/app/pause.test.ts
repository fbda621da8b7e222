import { test } from 'vitest';
import { pause } from './pause.ts';

test('a pause ends when its signal aborts', async () => {
  const controller = new AbortController();
  const paused = pause(3_600_000, controller.signal);
  controller.abort();
  await paused;
  await pause(3_600_000, controller.signal);
});
