import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { type Feed, type PictureRefusal, pictureRefusalSchema } from '../../supervisor/contract/index.ts';
import type { ApplianceProcess } from './appliance-process.ts';

/** A picture of the given size, such as `320x180`. */
export function makeJpeg(size: string): Buffer {
  const result = spawnSync('ffmpeg', [
    ...['-loglevel', 'error', '-f', 'lavfi', '-i', `testsrc2=size=${size}`],
    ...['-frames:v', '1', '-f', 'mjpeg', '-'],
  ]);
  if (result.status !== 0) throw new Error(String(result.stderr));
  return result.stdout;
}

/** Reads a stream of pictures until it is stopped. */
export function openStream(url: string) {
  const abort = new AbortController();
  const seen = { bytes: 0, pictures: 0, ended: false };
  const reading = (async () => {
    const response = await fetch(url, { signal: abort.signal });
    expect(response.headers.get('content-type')).toBe('multipart/x-mixed-replace; boundary=frame');
    for await (const chunk of response.body ?? []) {
      seen.bytes += chunk.length;
      seen.pictures += Buffer.from(chunk).toString('latin1').split('Content-Type: image/jpeg').length - 1;
    }
  })()
    .catch(() => {}) // ended by the abort, or by the appliance; see `ended`
    .finally(() => {
      seen.ended = true;
    });
  const close = async () => {
    abort.abort();
    await reading;
  };
  return { seen, close };
}

/** A WebSocket to a feed of the appliance at `url`, with what came over it. */
export function openLink(url: string, path: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url.replace('http', 'ws') + path, { headers });
  const pictures: Buffer[] = [];
  const texts: PictureRefusal[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  const refused = new Promise<{ status: number; body: string }>((resolve) => {
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
  });
  socket.on('error', () => {}); // what is refused is looked at by its answer
  socket.on('message', (data, binary) => {
    if (binary) pictures.push(data as Buffer);
    else texts.push(pictureRefusalSchema.parse(JSON.parse(String(data))));
  });
  return { socket, pictures, texts, closed, refused, opened: once(socket, 'open') };
}

/** The feed as it is now; undefined if it is not listed. */
export async function feedOf(appliance: ApplianceProcess, id: string): Promise<Feed | undefined> {
  return (await appliance.get<Feed[]>('/api/feeds')).find((one) => one.id === id);
}

/** Waits until a feed is online. */
export function feedOnline(appliance: ApplianceProcess, id: string): Promise<Feed> {
  return appliance.until(`${id} is online`, async () => {
    const found = await feedOf(appliance, id);
    return found?.state === 'online' ? found : null;
  });
}
