import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { StateStore } from '../config/state.ts';
import { type AgentDown, linkClose } from '../contract/index.ts';
import { freshKeys } from '../system/key-store.fake.ts';
import { HubRole } from './hub-role.ts';

const log = pino({ level: 'silent' });
const ends: (() => unknown)[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-hub-side-'));
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(folder, { recursive: true, force: true });
});

async function hub() {
  const trouble: (string | null)[] = [];
  const state = new StateStore({ file: join(folder, 'state.json'), logger: log });
  await state.load();
  const keys = freshKeys();
  await keys.load();
  const side = new HubRole({
    hub: { id: 'hub', name: () => 'hub' },
    keys,
    state,
    log,
    fingerprint: () => null,
    takeRunning: () => false,
    onUnadopt: () => {},
    onChange: () => {},
    onTrouble: (reason) => trouble.push(reason),
  });
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket, { headers }) => {
    const key = keys.find(String(headers.authorization));
    if (key === null) socket.close(4401, 'unknown');
    else side.cameras.accept(socket, key.id, '192.0.2.1');
  });
  await once(server, 'listening');
  ends.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { side, keys, port, trouble };
}

/** A camera that claims to be this one; returns the answer it got: `linked`, or the code of the refusal. */
async function link(port: number, token: string, id: string, name: string) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { authorization: token } });
  ends.push(() => socket.terminate());
  const heard: string[] = [];
  const answer = new Promise<string>((resolve) => {
    socket.on('close', (code) => resolve(String(code)));
    socket.on('message', (data) => {
      heard.push(String(data));
      resolve('linked');
    });
  });
  socket.on('open', () => {
    socket.send(JSON.stringify({ type: 'hello', id, name, version: '1', sources: [] }));
  });
  return { socket, heard, answer: await answer };
}

const refused = String(linkClose.wrongIdentity);

describe('the hub’s cameras', () => {
  test('a key made for a name takes no other camera’s place and gets none of its commands', async () => {
    const { side, keys, port, trouble } = await hub();
    const victim = await keys.create('camera', 'cam-victim');
    const attacker = await keys.create('camera', 'stage-left');
    const first = await link(port, victim.token, 'cam-victim', 'stage-left');
    const second = await link(port, attacker.token, 'cam-victim', 'stage-left');
    expect([first.answer, second.answer]).toEqual(['linked', refused]);
    expect(first.socket.readyState).toBe(WebSocket.OPEN);
    const startedAt = new Date().toISOString();
    const order: AgentDown = { type: 'take-start', takeId: 't1', startedAt, cameras: [] };
    expect(side.cameras.send('cam-victim', order)).toBe(true);
    await expect.poll(() => first.heard.join()).toContain('take-start');
    expect(second.heard).toEqual([]);
    expect(trouble).toEqual([
      expect.stringMatching(/stage-left \(cam-victim\) is refused: .* has another key/),
    ]);
  });

  test('one key has one place', async () => {
    const { side, keys, port } = await hub();
    const { token } = await keys.create('camera', 'stage-left');
    const answers: string[] = [];
    for (let n = 0; n < 70; n += 1) answers.push((await link(port, token, `cam-${n}`, 'stage-left')).answer);
    expect(answers).toEqual(['linked', ...Array.from({ length: 69 }, () => refused)]);
    expect(side.cameras.list().map(({ id }) => id)).toEqual(['cam-0']);
  });

  test('a camera with a key for its name is un-adopted by its id and stays out', async () => {
    const { side, keys, port } = await hub();
    const { token } = await keys.create('camera', 'stage-left');
    await keys.create('camera', 'stage-right');
    expect((await link(port, token, 'cam-1', 'stage-left')).answer).toBe('linked');
    await side.unadopt('cam-1');
    expect(keys.list().map(({ subject }) => subject)).toEqual(['stage-right']);
    expect(side.cameras.list()).toEqual([]);
    expect((await link(port, token, 'cam-1', 'stage-left')).answer).toBe('4401');
    await expect(side.unadopt('cam-1')).rejects.toMatchObject({ code: 'CAMERA_UNKNOWN' });
  });
});
