import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { FrameHub } from '../../live/jpeg/frame-hub.ts';
import { showFrames } from './show-frames.ts';

test('a client that watches for days leaves nothing behind for each of its pictures', async () => {
  const hub = new FrameHub();
  const gone = new AbortController();
  let shown = 0;
  const sink = {
    write: async () => {
      shown += 1;
      if (shown < 100) setImmediate(() => hub.publish(Buffer.from('next')));
    },
    destroy: () => {},
  };
  const showing = showFrames(hub.watch(), sink, gone.signal);
  hub.publish(Buffer.from('first'));
  await expect.poll(() => shown, { timeout: 20_000 }).toBe(100);
  expect(getEventListeners(gone.signal, 'abort').length).toBeLessThan(3);
  gone.abort();
  await showing;
});

test('a slow client is released when it leaves', async () => {
  const hub = new FrameHub();
  const gone = new AbortController();
  const stuck = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const write = () => {
    started.resolve();
    return stuck.promise;
  };
  const showing = showFrames(hub.watch(), { write, destroy: () => {} }, gone.signal);
  hub.publish(Buffer.from('first'));
  await started.promise;
  gone.abort();
  await showing;
});
