import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { pino } from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createTlsIdentity } from '../system/tls-identity.ts';
import { ConnectionGuard, type ConnectionLimits, connectionLimits } from './connection-guard.ts';
import { tlsServerOptions } from './tls-options.ts';

const log = pino({ level: 'silent' });
const cleanup: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

const wide: ConnectionLimits = { total: 100, perAddress: 100, introductionMs: 60_000, stalledMs: 60_000 };

async function listening(server: Server, limits: Partial<ConnectionLimits>) {
  const guard = new ConnectionGuard({ ...wide, ...limits }, log);
  guard.watch(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.push(() => {
    guard[Symbol.dispose]();
    server.closeAllConnections();
    server.close();
  });
  return { guard, port: (server.address() as AddressInfo).port };
}

function dial(port: number): Socket & { gone: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  cleanup.push(() => socket.destroy());
  socket.on('error', () => {
    // Being cut off is what is looked at.
  });
  return Object.assign(socket, { gone: once(socket, 'close').then(() => 'gone') });
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const holding = () =>
  createServer((request, response) => {
    if (request.url === '/hold') response.flushHeaders();
    else if (request.url === '/flood') response.end(Buffer.alloc(64 * 1024 * 1024));
    else response.end('here');
  });

async function answers(socket: Socket, path: string): Promise<string> {
  socket.write(get(path));
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString('latin1').split('\r\n')[0] ?? '';
}

describe('connections', () => {
  test('if silent clients hold all places, a client with a request gets one', async () => {
    const { port, guard } = await listening(holding(), { total: 8 });
    const silent = Array.from({ length: 30 }, () => dial(port));
    await Promise.all(silent.map((socket) => (socket.connecting ? once(socket, 'connect') : null)));
    const speaking = dial(port);
    expect(await answers(speaking, '/')).toBe('HTTP/1.1 200 OK');
    expect(guard.size).toBeLessThanOrEqual(8);
  });

  test('no place of a client that is being answered is given away', async () => {
    const { port, guard } = await listening(holding(), { total: 4 });
    const busy = Array.from({ length: 4 }, () => dial(port));
    for (const socket of busy) expect(await answers(socket, '/hold')).toBe('HTTP/1.1 200 OK');
    expect(await dial(port).gone).toBe('gone');
    expect(guard.size).toBe(4);
    for (const socket of busy) expect(socket.destroyed).toBe(false);
  });

  test('a place becomes free when its client leaves', async () => {
    const { port, guard } = await listening(holding(), { total: 1 });
    for (let index = 0; index < 5; index += 1) {
      const socket = dial(port);
      expect(await answers(socket, '/hold')).toBe('HTTP/1.1 200 OK');
      socket.destroy();
      await expect.poll(() => guard.size).toBe(0);
    }
  });
});

describe('silent clients', () => {
  test.each([
    ['nothing at all', ''],
    ['half a head', 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
  ])('disconnects %s', async (_, text) => {
    const { port } = await listening(holding(), { introductionMs: 100 });
    const socket = dial(port);
    socket.write(text);
    expect(await socket.gone).toBe('gone');
  });

  test('disconnects a client that never completes its TLS handshake or then says nothing', async () => {
    const { certPem: cert, keyPem: key } = await createTlsIdentity('guarded', new Date());
    const server = createTlsServer({ ...tlsServerOptions, cert, key }, (_, response) => response.end('here'));
    const { port, guard } = await listening(server, { introductionMs: 200 });
    expect(await dial(port).gone).toBe('gone');
    const secure = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    secure.on('error', () => {
      // Being cut off is what is looked at.
    });
    await once(secure, 'secureConnect');
    await once(secure, 'close');
    expect(guard.size).toBe(0);
  });

  test('disconnects clients that idle between requests, but nobody who is being answered', async () => {
    const { port } = await listening(holding(), { introductionMs: 200 });
    const busy = dial(port);
    await answers(busy, '/hold');
    const idle = dial(port);
    await answers(idle, '/');
    expect(await idle.gone).toBe('gone');
    expect(busy.destroyed).toBe(false);
  });

  test('disconnects a client that reads nothing of its answer', async () => {
    const { port } = await listening(holding(), { stalledMs: 200 });
    const socket = dial(port);
    socket.write(get('/flood'));
    await once(socket, 'data');
    socket.pause();
    await sleep(1500);
    socket.resume();
    expect(await socket.gone).toBe('gone');
    expect(socket.bytesRead).toBeLessThan(64 * 1024 * 1024);
  });

  test('counts a WebSocket, and frees its place when it closes', async () => {
    const server = holding();
    const links = new WebSocketServer({ noServer: true });
    const { port, guard } = await listening(server, { total: 2, introductionMs: 200 });
    server.on('upgrade', (request, socket, head) => links.handleUpgrade(request, socket, head, () => {}));
    const link = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(link, 'open');
    await sleep(1500);
    expect([link.readyState, guard.size]).toEqual([WebSocket.OPEN, 1]);
    link.terminate();
    await expect.poll(() => guard.size).toBe(0);
  });
});

test('the limits reserve descriptors for the machine, however few there are', () => {
  for (const descriptors of [64, 256, 1024, 4096, 65_536, 1_048_576]) {
    const { total, perAddress } = connectionLimits(descriptors);
    expect(total * 2, `${descriptors}`).toBeLessThanOrEqual(
      Math.max(16, descriptors - Math.min(256, descriptors / 2)),
    );
    expect(perAddress).toBeLessThan(total);
    expect(total).toBeLessThanOrEqual(1024);
  }
});

test('with few descriptors and many silent clients a recording and everything else continue', {
  timeout: 60_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-guard-'));
  cleanup.push(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'index.html'), 'page');
  const recording = join(folder, 'recording');
  const program = [process.execPath, join(import.meta.dirname, 'limited-server.fake.ts'), folder, recording];
  const child = spawn('sh', ['-c', 'ulimit -n 160; exec "$@"', 'sh', ...program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  cleanup.push(async () => {
    child.stdin.end();
    await ended;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value as string;
  const port = Number((await line()).split(' ')[1]);
  const works = async () => {
    child.stdin.write('work\n');
    return await line();
  };
  const frames = async () => (await readFile(recording, 'utf8')).split('\n').length;
  expect(await works()).toBe('ok');
  const silent = Array.from({ length: 400 }, () => dial(port));
  await Promise.all(silent.map((socket) => Promise.race([once(socket, 'connect'), socket.gone])));
  const before = await frames();
  expect(await works()).toBe('ok');
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  await expect.poll(frames).toBeGreaterThan(before);
  for (const socket of silent) socket.destroy();
  expect(await works()).toBe('ok');
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
});
