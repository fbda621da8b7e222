import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Config } from '../config/schema.ts';
import { StateStore } from '../config/state.ts';
import type { AgentUp } from '../contract/index.ts';
import { CameraRegistry } from '../hub/camera-registry.ts';
import { adoptionSection } from './camera-key.ts';
import { CameraRole } from './camera-role.ts';

const log = pino({ level: 'silent' });
const take = { type: 'take', takeId: 't1', cameras: [] } satisfies AgentUp;
let folder = '';
let state: StateStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-camera-side-'));
  state = new StateStore({ file: join(folder, 'state.json'), logger: log });
  await state.load();
});
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

function cameraRole(
  settings: Partial<Config['camera']>,
  onLinked: (side: CameraRole) => void = () => {},
  obeysAll = false,
): CameraRole {
  const side: CameraRole = new CameraRole({
    state,
    log,
    settings: settings as Config['camera'],
    configFile: join(folder, 'rushlight.toml'),
    self: { id: 'cam', name: 'cam', version: '1' },
    network: { subscribe: () => () => {} },
    obeysAll,
    status: () => ({ sources: [], recording: 'idle', remainingS: null, update: null }),
    onCommand: () => {},
    onLinked: () => onLinked(side),
    onChange: () => {},
  });
  return side;
}

describe('the camera role', () => {
  test('never sends its key or feeds in the clear once it knows the key of its hub', async () => {
    const adoption = { hubId: 'hub', hubName: 'hub', token: 'rl_secret', fingerprint: 'ab'.repeat(32) };
    await state.update(adoptionSection, () => adoption);
    const clear = cameraRole({ hub: 'http://192.0.2.1' });
    expect([clear.access(), clear.pushes([{ feed: 'cam0' }]), clear.jpegPushes(['cam0'])]).toEqual([
      null,
      [],
      [],
    ]);
    const secret = cameraRole({ hub: 'https://192.0.2.1' });
    expect(secret.access()).toEqual({
      url: 'https://192.0.2.1',
      token: 'rl_secret',
      tlsFingerprint: adoption.fingerprint,
    });
    expect(secret.pushes([{ feed: 'cam0' }])).toHaveLength(1);
    const both = secret.pushes([{ feed: 'cam0' }, { feed: 'cam0', layer: 'low' }]);
    expect(both.map(({ feed, layer, url }) => [feed, layer, url])).toEqual([
      ['cam0', undefined, 'https://192.0.2.1/whip/cam0'],
      ['cam0', 'low', 'https://192.0.2.1/whip/cam0/layers/low'],
    ]);
  });

  test('sends its feeds to nobody before a hub adopted it or after it was released', async () => {
    const stranger = cameraRole({ hub: 'http://192.0.2.66' });
    expect([stranger.access(), stranger.pushes([{ feed: 'cam0' }]), stranger.jpegPushes(['cam0'])]).toEqual([
      null,
      [],
      [],
    ]);
    const adoption = { hubId: 'hub', hubName: 'hub', token: 'rl_secret', fingerprint: null };
    await state.update(adoptionSection, () => adoption);
    const side = cameraRole({ hub: 'http://192.0.2.1' });
    expect(side.pushes([{ feed: 'cam0' }])).toHaveLength(1);
    await side.forgetHub();
    expect([side.access(), side.pushes([{ feed: 'cam0' }])]).toEqual([null, []]);
  });

  test('says why a hub that serves HTTPS adopts nobody over plain HTTP', async () => {
    const problem = JSON.stringify({ type: 'about:blank', title: 'No', status: 403, code: 'TLS_REQUIRED' });
    const server = createServer();
    server.on('upgrade', (_request, socket) => {
      socket.end(`HTTP/1.1 403 No\r\nContent-Length: ${problem.length}\r\n\r\n${problem}`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const stop = new AbortController();
    const { port } = server.address() as AddressInfo;
    const side = cameraRole({ hub: `http://127.0.0.1:${port}` });
    const running = side.run(stop.signal);
    try {
      await expect.poll(() => side.link.reason, { timeout: 20_000 }).toContain('by HTTPS only');
    } finally {
      stop.abort();
      await running;
      server.close();
    }
  });

  test('waits for the file with its key and says so', async () => {
    const stop = new AbortController();
    const side = cameraRole({ hub: 'http://192.0.2.1', tokenFile: 'hub-key' });
    const running = side.run(stop.signal);
    try {
      await expect.poll(() => side.link.reason, { timeout: 20_000 }).toMatch(/token_file cannot be read/);
      await writeFile(join(folder, 'hub-key'), 'rl_laid_later\n');
      await expect.poll(() => side.access()?.token, { timeout: 20_000 }).toBe('rl_laid_later');
    } finally {
      stop.abort();
      await running;
    }
  });

  test('remembers that it was made to forget its hub until another one adopts it', async () => {
    const side = cameraRole({ hub: 'auto' });
    await side.forgetHub();
    expect(state.get(adoptionSection).hasForgotten).toBe(false);
    await state.update(adoptionSection, () => ({ hubId: 'hub', hubName: 'hub', token: 'rl_secret' }));
    await side.forgetHub();
    await side.forgetHub();
    expect(state.get(adoptionSection)).toMatchObject({ hubId: null, token: null, hasForgotten: true });
    expect(side.confirmHub('123456')).toBe(false);
  });

  test('asks no hub without HTTPS for adoption if the settings name a certificate', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const asked: (string | undefined)[] = [];
    server.on('connection', (_socket, { url }) => asked.push(url));
    const { port } = server.address() as AddressInfo;
    const stop = new AbortController();
    const hub = `http://127.0.0.1:${port}`;
    const named = cameraRole({ hub, tlsFingerprint: 'ab'.repeat(32) }).run(stop.signal);
    try {
      const unnamed = cameraRole({ hub }).run(stop.signal);
      // Both look for whom to ask at once, and again every two seconds.
      await expect.poll(() => asked.length, { timeout: 20_000 }).toBeGreaterThan(0);
      await sleep(3000);
      stop.abort();
      await unnamed;
      expect(asked).toEqual(['/ws/adopt']);
    } finally {
      stop.abort();
      await named;
      for (const client of server.clients) client.terminate();
      server.close();
    }
  });

  test('can report what its hub missed each time the link returns', async () => {
    const registry = new CameraRegistry({ hub: { id: 'hub', name: 'hub' }, log });
    const heard: string[] = [];
    registry.subscribe({ take: (cameraId, { takeId }) => heard.push(`${cameraId} ${takeId}`) });
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => registry.accept(socket, null, '127.0.0.1'));
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const stop = new AbortController();
    const side = cameraRole({ hub: `http://127.0.0.1:${port}` }, (linked) => linked.send(take), true);
    const running = side.run(stop.signal);
    try {
      await expect.poll(() => heard, { timeout: 20_000 }).toEqual(['cam t1']);
      for (const client of server.clients) client.terminate();
      await expect.poll(() => heard, { timeout: 20_000 }).toEqual(['cam t1', 'cam t1']);
    } finally {
      stop.abort();
      await running;
      server.close();
    }
  });
});
