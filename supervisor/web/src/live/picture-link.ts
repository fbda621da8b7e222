import { backoffMs } from '../../../../common/backoff.ts';
import { pause } from '../app/pause.ts';
import type { PlayerPhase } from './feed-player.ts';

const retryLimits = { firstMs: 500, maxMs: 8000 };
/** A machine that slept never hears that the other side has hung up. Pictures that only pause lose nothing by a new connection. */
const silenceLimitMs = 10_000;

/** Where pictures are shown. */
export interface PictureScreen {
  /** Shows the picture at an object URL, which is valid until two more have been shown. */
  show(url: string): void;
  phase(phase: PlayerPhase): void;
}

/**
 * Shows a feed that consists of pictures. It uses a WebSocket instead of one endless image: browsers open only six plain
 * connections to a host, which the rest of the page needs, too. Ends with the signal.
 */
export const showPictures = async (
  feed: string,
  screen: PictureScreen,
  signal: AbortSignal,
  silenceMs: number = silenceLimitMs,
): Promise<void> => {
  let attempt = 0;
  while (!signal.aborted) {
    screen.phase({ kind: 'connecting' });
    attempt = (await showOnce(feed, screen, signal, silenceMs)) > 0 ? 0 : attempt + 1;
    if (signal.aborted) break;
    const waitMs = backoffMs(attempt, retryLimits);
    const reason = 'The connection to the appliance broke.';
    screen.phase({ kind: 'waiting', reason, retryAtMs: Date.now() + waitMs });
    await pause(waitMs, signal);
  }
};

/** One connection. Returns how many pictures it brought. */
const showOnce = (
  feed: string,
  screen: PictureScreen,
  signal: AbortSignal,
  silenceMs: number,
): Promise<number> =>
  new Promise((resolve) => {
    const urls: string[] = [];
    let shown = 0;
    let heardAtMs = performance.now();
    const { protocol, host } = location;
    const scheme = protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${host}/ws/feeds/${encodeURIComponent(feed)}`);
    const close = () => socket.close();
    const end = () => {
      clearInterval(watch);
      signal.removeEventListener('abort', close);
      for (const url of urls) URL.revokeObjectURL(url);
      resolve(shown);
    };
    const watch = setInterval(() => {
      if (performance.now() - heardAtMs < silenceMs) return;
      // A dead connection takes its time to be closed, and must not show what is left in it.
      socket.onmessage = null;
      socket.onclose = null;
      close();
      end();
    }, silenceMs / 10);
    socket.binaryType = 'blob';
    socket.onmessage = ({ data }: MessageEvent<Blob>) => {
      heardAtMs = performance.now();
      const url = URL.createObjectURL(new Blob([data], { type: 'image/jpeg' }));
      urls.push(url);
      if (urls.length > 2) URL.revokeObjectURL(urls.shift() ?? '');
      screen.show(url);
      if (shown === 0) screen.phase({ kind: 'playing' });
      shown += 1;
    };
    socket.onclose = end;
    signal.addEventListener('abort', close);
    if (signal.aborted) close();
  });
