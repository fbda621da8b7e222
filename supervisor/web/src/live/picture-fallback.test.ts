import fc from 'fast-check';
import { expect, test } from 'vitest';
import { picturesHelp, picturesNotice, videoRetryMs } from './picture-fallback.ts';

test('pictures come at once if the browser or the network cannot do video', () => {
  for (const code of ['NO_WEBRTC', 'NO_H264', 'NO_ROUTE', 'NO_FRAMES', 'REFUSED'] as const) {
    expect([code, picturesHelp(code, 1)]).toEqual([code, true]);
  }
});

test('retries a connection that broke once', () => {
  for (const code of ['CONNECTION_LOST', 'FRAMES_STOPPED'] as const) {
    expect([picturesHelp(code, 1), picturesHelp(code, 2)]).toEqual([false, true]);
  }
});

test('never asks for pictures if the appliance has none to give', () => {
  for (const code of ['UNREACHABLE', 'UNAUTHORIZED', 'FEED_UNKNOWN', 'NO_PUBLISHER'] as const) {
    expect([code, picturesHelp(code, 1000)]).toEqual([code, false]);
  }
});

test('retries video within a minute, and at most every five seconds', () => {
  fc.assert(
    fc.property(fc.nat(), (attempt) => {
      const ms = videoRetryMs(attempt);
      expect(ms >= 5000 && ms <= 60_000).toBe(true);
    }),
  );
});

test('one notice for all feeds, each reason once', () => {
  expect(picturesNotice([null, null])).toBeNull();
  const notice = picturesNotice(['No H.264.', null, 'No H.264.', 'UDP is blocked.']);
  expect(notice).toContain(' No H.264. UDP is blocked. ');
});
