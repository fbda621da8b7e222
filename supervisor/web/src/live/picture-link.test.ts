import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PlayerPhase } from './feed-player.ts';
import { showPictures } from './picture-link.ts';

/** Connections that were opened, in order. Each gives one picture, and nothing ever closes it but the page. */
const opened: FakeSocket[] = [];

class FakeSocket {
  onmessage: ((event: { data: Blob }) => void) | null = null;
  onclose: (() => void) | null = null;
  constructor() {
    opened.push(this);
    setTimeout(() => this.onmessage?.({ data: new Blob(['a picture']) }), 0);
  }
  close(): void {
    // As a browser does whose network is gone: the other side's goodbye is waited for.
    setTimeout(() => this.onclose?.(), 5000);
  }
}

beforeEach(() => {
  opened.length = 0;
  vi.stubGlobal('location', { protocol: 'http:', host: 'hub.local' });
  vi.stubGlobal('WebSocket', FakeSocket);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test('a silent connection is not shown as live: another one is opened', async () => {
  const phases: PlayerPhase['kind'][] = [];
  const screen = { show: () => {}, phase: ({ kind }: PlayerPhase) => phases.push(kind) };
  const stop = new AbortController();
  const showing = showPictures('shed', screen, stop.signal, 100);
  await expect.poll(() => opened.length, { timeout: 3000 }).toBe(2);
  expect(phases.slice(0, 4)).toEqual(['connecting', 'playing', 'waiting', 'connecting']);
  stop.abort();
  await showing;
}, 10_000);
