import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type HubLink, linkClose } from '../contract/index.ts';
import { parseUp } from '../hub/camera-registry.ts';
import { atEnd, clientWith, endAll, startCamera, startHub, twoAddresses } from './hub-link-rig.fake.ts';

afterEach(endAll);

test('ends with the abort at any point of opening the link', async () => {
  const hub = await startHub();
  const tries = Array.from({ length: 40 }, async (_, microtasks) => {
    const stop = new AbortController();
    const running = clientWith(hub.port, {}).run(stop.signal);
    for (let n = 0; n < microtasks; n += 1) await Promise.resolve();
    stop.abort();
    await running;
  });
  const all = await Promise.race([Promise.all(tries), sleep(4000, 'some never end')]);
  expect(all).toHaveLength(40);
});

test('a key that is dropped while its link is being opened opens nothing', async () => {
  const hub = await startHub();
  const shown: (string | undefined)[] = [];
  hub.server.prependListener('upgrade', ({ headers }) => void shown.push(headers.authorization));
  let token: string | null = 'old';
  const states: HubLink['state'][] = [];
  const client = clientWith(hub.port, {
    token: () => token,
    fingerprint: () => {
      // The owner makes the camera forget its hub, just now.
      token = null;
      client.keyChanged();
      return null;
    },
    onState: ({ state }) => states.push(state),
  });
  const stop = new AbortController();
  const running = client.run(stop.signal);
  await vi.waitFor(() => expect(states).toContain('refused'), 5000);
  await sleep(100);
  stop.abort();
  await running;
  expect(states).not.toContain('connected');
  expect(shown).toEqual([]);
});

describe('link between camera and hub', () => {
  test('the hub knows the camera and receives its status, and its commands arrive', async () => {
    const hub = await startHub();
    const camera = startCamera(hub.port);
    await vi.waitFor(() => expect(camera.states.at(-1)?.state).toBe('connected'), 10_000);
    await vi.waitFor(() => expect(hub.registry.list()[0]?.recording).toBe('recording'), 10_000);
    expect(hub.registry.list()[0]).toMatchObject({
      id: 'cam-a',
      name: 'stage-left',
      online: true,
      remainingS: 90,
      address: '192.0.2.7',
    });
    expect(camera.states.at(-1)).toMatchObject({ id: 'hub-1', name: 'control-room', reason: null });

    expect(hub.registry.send('cam-a', { type: 'take-stop', takeId: 'take-1' })).toBe(true);
    await vi.waitFor(
      () => expect(camera.commands).toEqual([{ type: 'take-stop', takeId: 'take-1' }]),
      10_000,
    );
    expect(hub.registry.send('nobody', { type: 'take-stop', takeId: 'take-1' })).toBe(false);
    await vi.waitFor(() => expect(hub.registry.list()[0]?.clockOffsetMs).toBeTypeOf('number'), 10_000);
  });

  test('a change of status reaches the hub before the next heartbeat', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] }); // no beat ever comes
    atEnd(() => void vi.useRealTimers());
    const hub = await startHub();
    const camera = startCamera(hub.port);
    await vi.waitFor(() => expect(hub.registry.list()[0]?.remainingS).toBe(90), 10_000);
    camera.status.remainingS = 60;
    camera.client.statusChanged();
    await vi.waitFor(() => expect(hub.registry.list()[0]?.remainingS).toBe(60), 10_000);
  });

  test('the camera reconnects by itself when the hub restarts', async () => {
    const first = await startHub();
    const camera = startCamera(first.port);
    await vi.waitFor(() => expect(camera.states.at(-1)?.state).toBe('connected'), 10_000);
    first.cut();
    await vi.waitFor(() => expect(first.registry.list()[0]?.online).toBe(false), 10_000);
    await vi.waitFor(() => expect(camera.states.at(-1)?.state).toBe('connecting'), 10_000);
    const second = await startHub({ port: first.port });
    await vi.waitFor(() => expect(camera.states.at(-1)?.state).toBe('connected'), 15_000);
    expect(second.registry.list()).toHaveLength(1);
  });

  test('uses the responding one of two addresses and informs the locator', async () => {
    const gone = await startHub();
    gone.cut();
    const hub = await startHub();
    const [dead, good] = [gone, hub].map(({ port }) => `http://127.0.0.1:${port}`) as [string, string];
    const { locator, answers, failures } = twoAddresses(dead, good);
    const camera = startCamera(hub.port, 'cam-a', locator);
    await vi.waitFor(() => expect(camera.states.at(-1)?.state).toBe('connected'), 10_000);
    expect(camera.states.at(-1)?.url).toBe(good);
    expect(answers).toEqual([good]);
    hub.cut();
    await vi.waitFor(() => expect(failures[0]).toBe(good), 10_000);
  });

  test('a camera shows its key to no hub it must avoid, and says why', async () => {
    const { port, registry } = await startHub();
    const { states } = startCamera(port, 'cam-a', undefined, true, () => 'Name the hub.');
    await vi.waitFor(() => expect(states.at(-1)).toMatchObject({ reason: 'Name the hub.' }), 10_000);
    expect([registry.list(), states.map(({ state }) => state)]).toEqual([[], ['connecting']]);
  });

  test('a camera without a key links to no hub and reveals none of its sources', async () => {
    const hub = await startHub();
    let asked = 0;
    hub.server.on('upgrade', () => {
      asked += 1;
    });
    const camera = startCamera(hub.port, 'cam-a', undefined, false);
    await vi.waitFor(() => expect(camera.states.at(-1)?.state).toBe('refused'), 10_000);
    camera.client.keyChanged();
    await sleep(500);
    expect([asked, hub.registry.list(), camera.commands]).toEqual([0, [], []]);
  });

  test('ignores commands before the welcome', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => socket.send('{"type":"take-stop","takeId":"take-1"}'));
    await once(server, 'listening');
    atEnd(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    const camera = startCamera((server.address() as AddressInfo).port);
    await vi.waitFor(() => expect(camera.states.at(-1)?.state).toBe('refused'), 10_000);
    expect(camera.commands).toEqual([]);
  });

  test('recognises a key that the hub forgot, and tries another one at once', async () => {
    const hub = await startHub({ status: 401 });
    const camera = startCamera(hub.port);
    await vi.waitFor(() => expect(camera.client.keyUnknown).toBe(true), 10_000);
    camera.client.keyChanged();
    expect(camera.client.keyUnknown).toBe(false);
    await vi.waitFor(() => expect(camera.client.keyUnknown).toBe(true), 10_000);
  });

  test('rejects a key made for another camera, and the camera says so', async () => {
    const hub = await startHub({ keyOf: 'cam-b' });
    const camera = startCamera(hub.port, 'cam-a');
    await vi.waitFor(() => expect(camera.states.at(-1)?.state).toBe('refused'), 10_000);
    expect(camera.states.at(-1)?.reason).toContain('cam-b');
    expect(hub.registry.list()).toEqual([]);
  });

  test('explains what to do about an unknown key', async () => {
    const hub = await startHub({ status: 401 });
    const camera = startCamera(hub.port);
    await vi.waitFor(() => expect(camera.states.at(-1)?.state).toBe('refused'), 10_000);
    expect(camera.states.at(-1)?.reason).toContain('Adopt it');
  });

  test('names the setting if a hub accepts keys by HTTPS only', async () => {
    const problem = { type: 'about:blank', title: 'Forbidden', status: 403, code: 'TLS_REQUIRED' };
    const hub = await startHub({ status: 403, problem: JSON.stringify(problem) });
    const camera = startCamera(hub.port);
    await vi.waitFor(() => expect(camera.states.at(-1)?.state).toBe('refused'), 10_000);
    expect(camera.states.at(-1)?.reason).toContain('camera.hub');
  });

  test.each([
    ['', 'opens nothing'],
    ['{"code":', 'opens nothing'],
    ['x'.repeat(60_000), 'opens nothing'],
  ])('reports a rejection without a problem document by its status', async (problem, words) => {
    const hub = await startHub({ status: 403, problem });
    const camera = startCamera(hub.port);
    await vi.waitFor(() => expect(camera.states.at(-1)?.state).toBe('refused'), 10_000);
    expect(camera.states.at(-1)?.reason).toContain(words);
  });

  test.each([
    ['keeps its place while it answers', true, linkClose.takenOver],
    ['gives it up when it is dead, as after a pulled cable', false, undefined],
  ])('links a camera %s even if another link claims the same id', async (_what, autoPong, refusal) => {
    const hub = await startHub();
    const hello = { type: 'hello', id: 'cam-a', name: 'stage-left', version: '1', sources: [] };
    const link = (pongs: boolean) => {
      const socket = new WebSocket(`ws://127.0.0.1:${hub.port}`, { autoPong: pongs });
      const closed: number[] = [];
      socket.on('close', (code) => closed.push(code));
      socket.on('open', () => socket.send(JSON.stringify(hello)));
      atEnd(() => socket.terminate());
      return { socket, closed };
    };
    const one = link(autoPong);
    await once(one.socket, 'message');
    const two = link(true);
    const loser = refusal === undefined ? one : two;
    await vi.waitFor(() => expect(loser.closed).toEqual([linkClose.takenOver]), 10_000);
    const winner = loser === one ? two : one;
    expect(winner.closed).toEqual([]);
    expect(hub.registry.list()).toMatchObject([{ id: 'cam-a', online: true }]);
    expect(hub.registry.send('cam-a', { type: 'take-stop', takeId: 'take-1' })).toBe(true);
    const [data] = await once(winner.socket, 'message');
    expect(String(data)).toMatch(/ping|take-stop/);
  });

  test('a flood of messages ends the link of its sender and no other', async () => {
    const hub = await startHub();
    const other = startCamera(hub.port, 'cam-b');
    await vi.waitFor(() => expect(other.states.at(-1)?.state).toBe('connected'), 10_000);
    const flood = new WebSocket(`ws://127.0.0.1:${hub.port}`);
    const hello = { type: 'hello', id: 'cam-a', name: 'flood', version: '1', sources: [] };
    flood.on('open', () => {
      flood.send(JSON.stringify(hello));
      flood.once('message', () => {
        for (let n = 0; n < 2000; n += 1) flood.send('{"type":"pong","echo":1,"at":2}');
      });
    });
    expect((await once(flood, 'close'))[0]).toBe(linkClose.tooMuch);
    expect(hub.registry.list().find(({ id }) => id === 'cam-b')?.online).toBe(true);
  });

  test('absent cameras and links without an id exclude nobody', async () => {
    const hub = await startHub();
    const link = async (id: string) => {
      const socket = new WebSocket(`ws://127.0.0.1:${hub.port}`);
      atEnd(() => socket.terminate());
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'hello', id, name: 'camera', version: '1', sources: [] }));
      await once(socket, 'message');
      return socket;
    };
    for (let n = 0; n < 64; n += 1) (await link(`gone-${n}`)).terminate();
    await vi.waitFor(() => expect(hub.registry.list().every(({ online }) => !online)).toBe(true), 10_000);
    await link('cam-a');
    expect(hub.registry.list()).toHaveLength(64);
    expect(hub.registry.list().find(({ id }) => id === 'cam-a')?.online).toBe(true);
    const silent = Array.from({ length: 20 }, () => new WebSocket(`ws://127.0.0.1:${hub.port}`));
    const refused: number[] = [];
    for (const socket of silent) socket.on('close', (code) => refused.push(code));
    atEnd(() => silent.forEach((socket) => void socket.terminate()));
    await vi.waitFor(() => expect(refused.length).toBe(16), 10_000);
    expect(new Set(refused)).toEqual(new Set([linkClose.tooMuch]));
  });

  test('a camera of another release stays linked: unknown messages are skipped', async () => {
    const hub = await startHub();
    const socket = new WebSocket(`ws://127.0.0.1:${hub.port}`);
    const hello = { type: 'hello', id: 'cam-a', name: 'stage-left', version: '9', sources: [], mood: 'good' };
    socket.on('open', () => socket.send(JSON.stringify(hello)));
    await once(socket, 'message');
    socket.send('{"type":"surprise","of":"later"}');
    const status = { type: 'status', sources: [], recording: 'idle', sentAt: '2026-11-22T12:00:00.000Z' };
    // An older one does not report its update, a later one does so in values that are unknown here.
    socket.send(JSON.stringify({ ...status, remainingS: 7 }));
    await vi.waitFor(() => expect(hub.registry.list()[0]).toMatchObject({ remainingS: 7, update: null }));
    socket.send(JSON.stringify({ ...status, remainingS: 8, update: { state: 'teleporting' } }));
    await vi.waitFor(() => expect(hub.registry.list()[0]).toMatchObject({ remainingS: 8, update: null }));
    expect(hub.registry.list()[0]?.online).toBe(true);
    socket.terminate();
  });

  test.each([
    ['not JSON', 'nonsense'],
    ['an unknown type', '{"type":"surprise"}'],
    ['no hello first', '{"type":"pong","echo":1,"at":2}'],
    [
      'more sources than a machine has',
      JSON.stringify({
        type: 'hello',
        id: 'a',
        name: 'a',
        version: '1',
        sources: Array.from({ length: 10_000 }, (_, n) => ({
          id: `s${n}`,
          kind: 'test',
          label: '',
          state: 'running',
          reason: null,
          restarts: 0,
          encoder: null,
          droppedFrames: 0,
        })),
      }),
    ],
    [
      'an id with control characters',
      '{"type":"hello","id":"a\\u0000b","name":"a","version":"1","sources":[]}',
    ],
    ['a bad name', '{"type":"hello","id":"a","name":"../etc","version":"1","sources":[]}'],
  ])('%s closes the link with a reason', async (_what, text) => {
    const hub = await startHub();
    const socket = new WebSocket(`ws://127.0.0.1:${hub.port}`);
    socket.on('open', () => socket.send(text));
    const [code, reason] = await once(socket, 'close');
    expect(code).toBe(linkClose.notUnderstood);
    expect(String(reason)).not.toBe('');
    expect(hub.registry.list()).toEqual([]);
  });
});

test('parseUp accepts a message of the link and nothing else', () => {
  expect(parseUp('{"type":"pong","echo":1,"at":2}')).toEqual({ type: 'pong', echo: 1, at: 2 });
  expect(parseUp('{"type":"pong"}')).toBeNull();
  expect(parseUp('[')).toBeNull();
});

test('texts of a camera are cut to a readable length and carry no control characters', () => {
  const refused = {
    type: 'refused',
    command: 'take-start',
    code: 'X',
    reason: `a\u001b[2J\n${'b'.repeat(9000)}`,
  };
  const parsed = parseUp(JSON.stringify(refused));
  expect(parsed).toMatchObject({ reason: expect.stringMatching(/^a \[2J b{500,512}$/) });
});
