import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { linkClose } from '../contract/index.ts';
import { adoptionCode, commitmentOf } from '../discovery/adoption-code.ts';
import { type FakeIdentity, fakeIdentity } from '../discovery/tls-identity.fake.ts';
import { AdoptionDesk } from '../hub/adoption-desk.ts';
import { type Applicant, WaitingRoom } from '../hub/adoption-places.ts';
import { type CodeOfHub, requestAdoption } from './adoption-request.ts';
import type { HubCandidate } from './hub-locator.ts';

const log = pino({ level: 'silent' });
const cleanup: (() => void)[] = [];
const camera = { id: 'cam-a', name: 'stage-left', version: '1.2.3' };

afterEach(() => {
  for (const end of cleanup.splice(0)) end();
});

async function startDesk(
  identity: FakeIdentity | null = null,
  lines: string[] | null = null,
  beforeKey: () => Promise<void> = async () => {},
) {
  const issued: string[] = [];
  const desk = new AdoptionDesk({
    hub: { id: 'hub-1', name: 'control-room' },
    fingerprint: () => identity?.fingerprint ?? null,
    issueKey: async (id) => {
      issued.push(id);
      await beforeKey();
      return 'rl_token';
    },
    isLinked: (id) => id === 'cam-linked',
    onChange: () => {},
    log: lines === null ? log : pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
  });
  const server = identity === null ? createServer() : createTlsServer(identity);
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, { headers }) => {
    desk.accept(socket, String(headers['x-address'] ?? '192.0.2.9'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  cleanup.push(() => {
    desk.close();
    for (const client of sockets.clients) client.terminate();
    server.close();
  });
  const hub: HubCandidate = {
    id: 'hub-1',
    name: 'control-room',
    url: `${identity === null ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    otherUrls: [],
    tlsFingerprint: null,
    via: 'mdns',
    reason: 'the only hub found',
  };
  return { desk, hub, issued, port: address.port };
}

describe('adoption', () => {
  test('both sides show the same code; one tap gives the camera its key', async () => {
    const { desk, hub, issued } = await startDesk();
    const codes: (string | null)[] = [];
    const asked = requestAdoption(
      hub,
      { camera, onCode: (code) => codes.push(code?.code ?? null) },
      AbortSignal.timeout(20_000),
    );
    await vi.waitFor(() => expect(desk.list()).toHaveLength(1), 10_000);
    const applicant = desk.list()[0];
    expect(applicant).toMatchObject({ ...camera, address: '192.0.2.9', code: codes[0] });

    const wrong = applicant?.code === '000000' ? '000001' : '000000';
    await expect(desk.adopt('cam-a', wrong)).rejects.toMatchObject({ code: 'CODE_WRONG' });
    await expect(desk.adopt('nobody', '000000')).rejects.toMatchObject({ code: 'CAMERA_UNKNOWN' });
    expect(issued).toEqual([]);

    await desk.adopt('cam-a', applicant?.code ?? '');
    expect(await asked).toEqual({
      hubId: 'hub-1',
      hubName: 'control-room',
      fingerprint: null,
      token: 'rl_token',
    });
    expect(issued).toEqual(['cam-a']);
    expect(desk.list()).toEqual([]);
    expect(codes.at(-1)).toBeNull();
  });

  test('two taps make one key: a second one would revoke the first', async () => {
    const { desk, hub, issued } = await startDesk(null, null, () => sleep(50));
    const asked = requestAdoption(hub, { camera, onCode: () => {} }, AbortSignal.timeout(20_000));
    await vi.waitFor(() => expect(desk.list()).toHaveLength(1), 10_000);
    const { code = '' } = desk.list()[0] ?? {};
    const taps = [desk.adopt('cam-a', code), desk.adopt('cam-a', code)];
    expect(await Promise.all(taps)).toMatchObject([{ id: 'cam-a' }, { id: 'cam-a' }]);
    expect(await asked).toMatchObject({ token: 'rl_token' });
    expect(issued).toEqual(['cam-a']);
  });

  test('a camera that hangs up before its key is made is not adopted', async () => {
    const stop = new AbortController();
    const { desk, hub } = await startDesk(null, null, async () => {
      stop.abort();
      await vi.waitFor(() => expect(desk.list()).toEqual([]), 5000);
    });
    const asked = requestAdoption(hub, { camera, onCode: () => {} }, stop.signal);
    await vi.waitFor(() => expect(desk.list()).toHaveLength(1), 10_000);
    const { code = '' } = desk.list()[0] ?? {};
    await expect(desk.adopt('cam-a', code)).rejects.toMatchObject({ code: 'CAMERA_UNKNOWN' });
    expect(await asked).toBeNull();
  });

  test('asking ends with the abort at any point', async () => {
    const { hub } = await startDesk();
    const asks = Array.from({ length: 20 }, async (_, microtasks) => {
      const stop = new AbortController();
      const asked = requestAdoption(hub, { camera, onCode: () => {} }, stop.signal);
      for (let n = 0; n < microtasks; n += 1) await Promise.resolve();
      stop.abort();
      return await asked.catch(() => null);
    });
    const all = await Promise.race([Promise.all(asks), sleep(3000, 'some wait for the hub')]);
    expect(all).toEqual(asks.map(() => null));
  });

  test('the codes match if an authority vouches for the hub, whose key then is not pinned', async () => {
    const identity = fakeIdentity('hub', ['-addext', 'subjectAltName=IP:127.0.0.1']);
    const authorities = getCACertificates('default');
    setDefaultCACertificates([identity.cert]);
    cleanup.push(() => setDefaultCACertificates(authorities));
    const { desk, hub } = await startDesk(identity);
    const codes: string[] = [];
    const onCode = (code: { code: string } | null) => code !== null && codes.push(code.code);
    const asked = requestAdoption(hub, { camera, onCode }, AbortSignal.timeout(20_000));
    await vi.waitFor(() => expect(desk.list()).toHaveLength(1), 10_000);
    expect(codes).toEqual([desk.list()[0]?.code]);
    await desk.adopt('cam-a', codes[0] ?? '');
    expect(await asked).toMatchObject({ fingerprint: null, token: 'rl_token' });
  });

  test('a camera that waits for its owner’s confirmation gets no key, and the hub says so until then', async () => {
    const { desk, hub, issued } = await startDesk();
    const shown = Promise.withResolvers<CodeOfHub>();
    const onCode = (code: CodeOfHub | null) => code !== null && shown.resolve(code);
    const asked = requestAdoption(hub, { camera, onCode }, AbortSignal.timeout(20_000));
    const { code, sayConfirm } = await shown.promise;
    sayConfirm('several-hubs');
    await vi.waitFor(() => expect(desk.list()).toMatchObject([{ confirm: 'several-hubs' }]), 10_000);
    await expect(desk.adopt('cam-a', code)).rejects.toMatchObject({ code: 'CAMERA_UNDECIDED' });
    expect(issued).toEqual([]);
    sayConfirm(null);
    await vi.waitFor(() => expect(desk.list()[0]).not.toHaveProperty('confirm'), 10_000);
    await desk.adopt('cam-a', code);
    expect(await asked).toMatchObject({ token: 'rl_token' });
  });

  test.each([true, false])('holds a key until the camera may accept it: %s', async (mayTake) => {
    const { desk, hub } = await startDesk();
    const codes: (string | null)[] = [];
    const onCode = (code: CodeOfHub | null) => codes.push(code?.code ?? null);
    const decided = Promise.withResolvers<boolean>();
    const begun = Promise.withResolvers<void>();
    const decide = () => {
      begun.resolve();
      return decided.promise;
    };
    const options = { camera, onCode, mayTake: decide };
    const asked = requestAdoption(hub, options, AbortSignal.timeout(20_000));
    await vi.waitFor(() => expect(desk.list()).toHaveLength(1), 10_000);
    await desk.adopt('cam-a', desk.list()[0]?.code ?? '');
    await begun.promise;
    // The owner still sees the code, with which to confirm.
    expect(codes).toHaveLength(1);
    decided.resolve(mayTake);
    expect((await asked)?.token ?? null).toBe(mayTake ? 'rl_token' : null);
    expect(codes).toEqual([codes[0], null]);
  });

  test('sends a hub of release 0.1 nothing that would make it hang up', async () => {
    const heard: string[] = [];
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => {
      socket.on('message', (data) => {
        const { type } = JSON.parse(String(data));
        heard.push(type);
        const challenge = { type: 'challenge', hubId: 'hub-1', hubName: 'old', nonce: '0'.repeat(64) };
        if (type === 'hello') socket.send(JSON.stringify(challenge));
        else socket.send(JSON.stringify({ type: 'adopted', token: 'rl_old' }));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanup.push(() => server.close());
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const { hub } = await startDesk();
    const old = { ...hub, url: `http://127.0.0.1:${address.port}` };
    const onCode = (code: CodeOfHub | null) => code?.sayConfirm('several-hubs');
    expect(await requestAdoption(old, { camera, onCode }, AbortSignal.timeout(20_000))).toMatchObject({
      token: 'rl_old',
    });
    expect(heard).toEqual(['hello', 'reveal']);
  });

  test('stops offering a camera that leaves; asking ends on request', async () => {
    const { desk, hub } = await startDesk();
    const stop = new AbortController();
    const asked = requestAdoption(hub, { camera, onCode: () => {} }, stop.signal);
    await vi.waitFor(() => expect(desk.list()).toHaveLength(1), 10_000);
    stop.abort();
    expect(await asked).toBeNull();
    await vi.waitFor(() => expect(desk.list()).toEqual([]), 10_000);
  });

  const hello = (commitment: string) => JSON.stringify({ type: 'hello', ...camera, commitment });
  const reveal = (nonce: string) => JSON.stringify({ type: 'reveal', nonce });
  const nonce = 'ab'.repeat(32);

  test.each([
    ['nonsense', ['nonsense']],
    ['a reveal before the hello', [reveal(nonce)]],
    ['another nonce than committed to', [hello(commitmentOf(nonce)), reveal('cd'.repeat(32))]],
    ['two hellos', [hello(commitmentOf(nonce)), hello(commitmentOf(nonce))]],
  ])('%s is refused, and nobody is offered', async (_what, messages) => {
    const { desk, port } = await startDesk();
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    socket.on('open', () => {
      for (const message of messages) socket.send(message);
    });
    const [code] = await once(socket, 'close');
    expect(code).toBe(linkClose.notUnderstood);
    expect(desk.list()).toEqual([]);
  });

  test('reports an unreachable hub by its error', async () => {
    const { hub } = await startDesk();
    const nowhere = { ...hub, url: 'http://127.0.0.1:9' };
    await expect(
      requestAdoption(nowhere, { camera, onCode: () => {} }, AbortSignal.timeout(10_000)),
    ).rejects.toThrow();
  });
});

/** One that asks to be adopted from that address, and waits. Returns whether it got a place. */
async function ask(port: number, address: string, id: string) {
  const nonce = randomBytes(32).toString('hex');
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { 'x-address': address } });
  cleanup.push(() => socket.terminate());
  const heard: string[] = [];
  const end = new Promise<number>((resolve) => socket.on('close', resolve));
  socket.on('open', () => {
    const hello = { type: 'hello', id, name: 'camera', version: '1', commitment: commitmentOf(nonce) };
    socket.send(JSON.stringify(hello));
  });
  socket.on('message', (data) => {
    heard.push(String(data));
    if (heard.length === 1) socket.send(JSON.stringify({ type: 'reveal', nonce }));
  });
  return { socket, heard, end };
}

describe('strangers at the adoption desk', () => {
  test('do not displace a waiting camera by using its id; the code shows which one the owner means', async () => {
    const { desk, port, issued } = await startDesk();
    const camera = await ask(port, '192.0.2.1', 'cam-a');
    await vi.waitFor(() => expect(desk.list()).toHaveLength(1), 10_000);
    const shown = desk.list()[0]?.code ?? '';
    const stranger = await ask(port, '192.0.2.66', 'cam-a');
    await vi.waitFor(() => expect(desk.list()).toHaveLength(2), 10_000);
    const again = await ask(port, '192.0.2.1', 'cam-a');
    expect(await again.end).toBe(linkClose.tooMuch);
    expect(camera.socket.readyState).toBe(WebSocket.OPEN);
    expect(desk.list()[0]).toMatchObject({ address: '192.0.2.1', code: shown });
    await desk.adopt('cam-a', shown);
    await vi.waitFor(() => expect(camera.heard.at(-1)).toContain('rl_token'), 10_000);
    expect(await stranger.end).toBe(linkClose.takenOver);
    expect([issued, stranger.heard.length, desk.list()]).toEqual([['cam-a'], 1, []]);
  });

  test('get a share of the places and leave room for a camera', async () => {
    const { desk, port } = await startDesk();
    for (let n = 0; n < 60; n += 1) await ask(port, `192.0.2.${n % 5}`, `fake-${n}`);
    await vi.waitFor(() => expect(desk.list()).toHaveLength(32), 10_000);
    await ask(port, '192.0.2.200', 'cam-a');
    await vi.waitFor(() => expect(desk.list().map(({ id }) => id)).toContain('cam-a'), 10_000);
    expect(desk.list()).toHaveLength(32);
  });

  test('hold no place before they introduce themselves', async () => {
    const { desk, port } = await startDesk();
    const silent = Array.from({ length: 30 }, () => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { 'x-address': '192.0.2.66' } });
      cleanup.push(() => socket.terminate());
      return new Promise<number>((resolve) => socket.on('close', resolve));
    });
    const [first] = await Promise.all(silent.slice(8));
    expect(first).toBe(linkClose.tooMuch);
    await ask(port, '192.0.2.1', 'cam-a');
    await vi.waitFor(() => expect(desk.list()).toHaveLength(1), 10_000);
  });

  test('cannot ask in the name of a linked camera', async () => {
    const { desk, port } = await startDesk();
    const stranger = await ask(port, '192.0.2.66', 'cam-linked');
    expect(await stranger.end).toBe(linkClose.takenOver);
    expect(desk.list()).toEqual([]);
  });

  test('are counted in the log without flooding it', async () => {
    const lines: string[] = [];
    const { desk, port } = await startDesk(null, lines);
    for (let n = 0; n < 200; n += 1) {
      const { socket } = await ask(port, `192.0.2.${n % 100}`, `fake-${n}`);
      await once(socket, 'message');
      socket.terminate();
    }
    desk.close();
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(20);
  });
});

describe('the places of waiting cameras', () => {
  const applicant = (id: string, address: string): Applicant => ({
    socket: {} as WebSocket,
    camera: { id, name: 'camera', version: '1', address, code: '000000', since: '2026-11-22T12:00:00.000Z' },
  });

  test('however many addresses strangers use, a camera gets a place and keeps it long enough to be seen', () => {
    let nowMs = 0;
    const room = new WaitingRoom(() => nowMs);
    const fill = (round: number) => {
      for (let n = 0; n < 100; n += 1) room.take(applicant(`fake-${round}-${n}`, `10.${round}.0.${n}`));
    };
    fill(0);
    expect(room.take(applicant('cam-a', '192.0.2.1'))).toHaveProperty('refusal');
    nowMs = 121_000;
    expect(room.take(applicant('cam-a', '192.0.2.1'))).toMatchObject({ displaced: { camera: {} } });
    fill(1);
    nowMs += 110_000;
    fill(2);
    expect(room.list().map(({ camera }) => camera.id)).toContain('cam-a');
    expect(room.list()).toHaveLength(32);
  });
});

describe('the code', () => {
  const hex = fc.stringMatching(/^[0-9a-f]{64}$/);

  test('has six digits and depends on everything both sides have seen', () => {
    fc.assert(
      fc.property(hex, hex, hex, fc.string(), (fingerprint, cameraNonce, hubNonce, cameraId) => {
        expect(adoptionCode({ fingerprint, cameraId, cameraNonce, hubNonce })).toMatch(/^\d{6}$/);
      }),
    );
    const sample = { cameraId: 'a', cameraNonce: '0'.repeat(64), hubNonce: '1'.repeat(64) };
    const codes = new Set(
      Array.from({ length: 1000 }, (_none, index) => adoptionCode({ ...sample, fingerprint: String(index) })),
    );
    expect(codes.size).toBeGreaterThan(990);
  });
});
