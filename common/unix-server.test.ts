import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UnixServer } from './unix-server.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unix-server-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('replaces a stale socket, tracks its connections and leaves nothing behind', async () => {
  const path = join(folder, 'a.sock');
  await writeFile(path, '');
  const texts: string[] = [];
  const server = new UnixServer({
    path,
    onConnection: (socket) => socket.on('data', (chunk) => texts.push(String(chunk))).on('error', () => {}),
    onError: (error) => expect.unreachable(error.message),
  });
  await server.open();
  const client = connect(path);
  client.write('hello');
  await expect.poll(() => texts).toEqual(['hello']);
  expect(server.connections.size).toBe(1);

  const gone = connect(path);
  await expect.poll(() => server.connections.size).toBe(2);
  gone.end();
  gone.resume();
  await expect.poll(() => server.connections.size).toBe(1);

  const ended = once(client, 'close');
  client.resume();
  await server[Symbol.asyncDispose]();
  await ended;
  expect(server.connections.size).toBe(0);
  await expect(stat(path)).rejects.toThrow('ENOENT');
});

test('rejects with the system error if it cannot listen', async () => {
  const server = new UnixServer({
    path: join(folder, 'no', 'folder.sock'),
    onConnection: () => {},
    onError: () => {},
  });
  // What libuv makes of a folder that does not exist.
  await expect(server.open()).rejects.toMatchObject({ code: 'EACCES' });
  await server[Symbol.asyncDispose]();
});

test('outlives a connection that it cannot accept, and reports it', async () => {
  const path = join(folder, 'a.sock');
  const accepted: Socket[] = [];
  const codes: (string | undefined)[] = [];
  const server = new UnixServer({
    path,
    onConnection: (socket) => accepted.push(socket.on('error', () => {})),
    onError: ({ code }: NodeJS.ErrnoException) => codes.push(code),
  });
  await server.open();
  const first = connect(path);
  await expect.poll(() => accepted.length).toBe(1);
  // What libuv calls if accept(2) fails; it only does so if it has not even its spare descriptor, which no test can time.
  const { _handle } = (
    accepted[0] as unknown as { server: { _handle: { onconnection(status: number): void } } }
  ).server;
  _handle.onconnection(-constants.errno.EMFILE);
  expect(codes).toEqual(['EMFILE']);
  const second = connect(path);
  await expect.poll(() => accepted.length).toBe(2);
  for (const client of [first, second]) client.destroy();
  await server[Symbol.asyncDispose]();
});
