import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MediaClient } from './media-client.ts';
import { encodeLine, NdjsonReader } from './ndjson.ts';
import type { MediaEvent } from './protocol.ts';

const config = { udpPort: 0, listenAddresses: ['127.0.0.1'], ingests: [], pushes: [] };
const timeouts = { requestMs: 10_000, configureMs: 200, retryMs: 20 };

let folder: string;
let server: Server;
/** Methods that were asked for. */
let asked: string[];
/** How many configurations are passed over in silence. */
let silences: number;
/** The events sent after the result of each configuration. */
let announced: MediaEvent[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'media-client-'));
  asked = [];
  silences = 0;
  announced = [];
  server = createServer((socket) => {
    const reader = new NdjsonReader();
    socket.on('error', () => {}); // the client's end
    socket.on('data', (chunk) => {
      for (const request of reader.push(chunk) as { id: number; method: string }[]) {
        asked.push(request.method);
        if (request.method === 'configure' && silences-- > 0) continue;
        const result = request.method === 'configure' ? { problems: [] } : null;
        const events = request.method === 'configure' ? announced.map((event) => encodeLine(event)) : [];
        socket.write(`${encodeLine({ id: request.id, result })}${events.join('')}`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

test('resends the configuration until the process answers it', {
  timeout: 60_000,
}, async () => {
  silences = 2;
  const abort = new AbortController();
  const client = new MediaClient({
    socketPath: join(folder, 'socket'),
    logger: pino({ level: 'silent' }),
    timeouts,
  });
  await client.configure(config);
  await client.subscribeMetrics(500);
  const running = client.run(abort.signal);
  await expect.poll(() => client.connected, { timeout: 30_000 }).toBe(true);
  expect(client.isSet).toBe(false);
  await expect.poll(() => client.isSet, { timeout: 30_000 }).toBe(true);
  expect(asked).toEqual(['configure', 'configure', 'configure', 'subscribeMetrics']);
  abort.abort();
  await running;
  expect(client.isSet).toBe(false);
});

test('a listener that fails costs neither the channel nor what comes behind', async () => {
  announced = ['cam0', 'cam1'].map((feed) => ({ event: 'feed', feed, state: 'online' }));
  const abort = new AbortController();
  const client = new MediaClient({
    socketPath: join(folder, 'socket'),
    logger: pino({ level: 'silent' }),
    timeouts,
  });
  const heard: string[] = [];
  client.events.on('event', (event) => {
    if (event.event === 'feed') heard.push(event.feed);
    if (heard.length === 1) throw new Error('a listener that fails');
  });
  client.events.on('connected', () => {
    throw new Error('a listener that fails');
  });
  await client.configure(config);
  const running = client.run(abort.signal);
  await expect.poll(() => heard.length).toBeGreaterThanOrEqual(2);
  await expect.poll(() => client.isSet).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(heard).toEqual(['cam0', 'cam1']);
  expect(asked).toEqual(['configure']);
  abort.abort();
  await running;
});
