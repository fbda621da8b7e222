import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { apiPortsFake } from '../api/api-ports.fake.ts';
import { parseConfig } from '../config/parse.ts';
import type { Config } from '../config/schema.ts';
import { configSchema } from '../config/schema.ts';
import { dataPaths } from '../system/data-folder.ts';
import { Health } from '../system/health.ts';
import { freshKeys } from '../system/key-store.fake.ts';
import { createTlsIdentity } from '../system/tls-identity.ts';
import { HttpService } from './http-service.ts';

let folder = '';
const cleanup: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-http-'));
});

afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
  await rm(folder, { recursive: true });
});

/** A program that sits on a port; port 0 finds a free one. */
async function occupy(port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  cleanup.push(async () => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

const given = new Set<number>();

/** Another one each time: the system may offer the same one again. */
async function freePort(): Promise<number> {
  const { server, port } = await occupy();
  const closed = once(server, 'close');
  server.close();
  await closed;
  if (given.has(port)) return await freePort();
  given.add(port);
  return port;
}

function settings(http: Record<string, unknown>): Config {
  const toml = Object.entries(http).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  const parsed = parseConfig(`[http]\n${toml.join('\n')}\n`);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  expect(configSchema.safeParse(parsed.file).success).toBe(true);
  return parsed.config;
}

function open() {
  const listeners = new Set<() => void>();
  const health = new Health();
  const onReach = vi.fn();
  const service = new HttpService({
    ports: apiPortsFake(),
    keys: freshKeys(),
    paths: dataPaths(folder),
    configFile: join(folder, 'rushlight.toml'),
    version: '1',
    simulation: false,
    port: null,
    onReach,
    log: pino({ level: 'silent' }),
    network: {
      subscribe: (listener) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    health: health.register('http', { core: true }),
    retryMs: [20, 50],
    lookMs: 20,
  });
  cleanup.push(() => service.close());
  const networkChanged = () => {
    for (const listener of listeners) listener();
  };
  const state = () => health.snapshot().components.find(({ name }) => name === 'http');
  return { service, state, onReach, networkChanged };
}

const answers = async (port: number | null | undefined) =>
  (await fetch(`http://127.0.0.1:${port}/healthz`)).status === 200;

/** The fingerprint of the certificate that a TLS client meets. */
async function fingerprintAt(port: number | null | undefined): Promise<string> {
  // Without an agent: one that resumes an earlier session gets no certificate.
  const asked = request({
    port,
    host: '127.0.0.1',
    path: '/healthz',
    rejectUnauthorized: false,
    agent: false,
  });
  asked.end();
  const [response] = (await once(asked, 'response')) as [{ socket: TLSSocket; resume(): void }];
  const { fingerprint256 } = response.socket.getPeerCertificate();
  response.resume();
  asked.destroy();
  return fingerprint256.replaceAll(':', '').toLowerCase();
}

const local = { listen: ['127.0.0.1'] };

test('a taken port at the first start: the page uses another one, says so, and moves once the port is free', async () => {
  const [plain, tls] = [await occupy(), await occupy()];
  const { service, state, onReach } = open();
  await service.apply(settings({ ...local, port: plain.port, tls_port: tls.port }), 'stage', 'hub');
  expect(service.reach?.tlsPort).not.toBe(tls.port);
  expect(await fingerprintAt(service.reach?.tlsPort)).toBe(service.reach?.fingerprint);
  expect(state()).toMatchObject({ state: 'degraded', reason: expect.stringContaining(String(plain.port)) });
  const url = (await readFile(dataPaths(folder).apiUrl, 'utf8')).trim();
  expect((await fetch(`${url}/healthz`)).status).toBe(200);

  plain.server.close();
  tls.server.close();
  await vi.waitFor(() => expect(state()).toMatchObject({ state: 'ok' }), 5000);
  expect(service.reach).toMatchObject({ port: plain.port, tlsPort: tls.port });
  expect(await answers(plain.port)).toBe(true);
  expect(await fingerprintAt(tls.port)).toBe(service.reach?.fingerprint);
  expect(onReach).toHaveBeenCalled();
});

test('a change to a taken port keeps the old listener; changing back clears the problem at once', async () => {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const taken = await occupy();
  const { service, state } = open();
  const good = settings({ ...local, port, tls_port: tlsPort });
  await service.apply(good, 'stage', 'hub');
  await service.apply(settings({ ...local, port: taken.port, tls_port: tlsPort }), 'stage', 'hub');
  expect(service.reach).toMatchObject({ port, tlsPort });
  expect(await answers(port)).toBe(true);
  expect(state()?.state).toBe('degraded');
  await service.apply(settings({ ...local, port, tls_port: taken.port }), 'stage', 'hub');
  expect(service.reach).toMatchObject({ port, tlsPort });
  await service.apply(good, 'stage', 'hub');
  expect(state()?.state).toBe('ok');
});

test('falls back to all addresses, with tokens required, if the address does not exist', async () => {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const { service, state, networkChanged } = open();
  await service.apply(settings({ listen: ['192.0.2.77'], port, tls_port: tlsPort }), 'stage', 'hub');
  expect(state()).toMatchObject({ state: 'degraded', reason: expect.stringContaining('192.0.2.77') });
  expect(service.reach).toMatchObject({ port, tlsPort, outside: true });
  expect((await fetch(`http://127.0.0.1:${port}/api/status`)).status).toBe(401);
  networkChanged();
  expect(await answers(port)).toBe(true);
});

test('replaces a missing certificate with the self-made one, and serves it once it exists', async () => {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const { service, state } = open();
  const own = { cert_file: 'own.pem', key_file: 'own.key' };
  await service.apply(settings({ ...local, ...own, port, tls_port: tlsPort }), 'stage', 'hub');
  const selfMade = await fingerprintAt(tlsPort);
  expect(service.reach?.fingerprint).toBe(selfMade);
  expect(state()).toMatchObject({ state: 'degraded', reason: expect.stringContaining('own.pem') });

  const identity = await createTlsIdentity('own', new Date());
  await writeFile(join(folder, 'own.key'), identity.keyPem);
  await writeFile(join(folder, 'own.pem'), identity.certPem);
  await vi.waitFor(() => expect(state()).toMatchObject({ state: 'ok' }), 5000);
  expect(service.reach?.fingerprint).toBe(identity.fingerprint);
  expect(await fingerprintAt(tlsPort)).toBe(identity.fingerprint);
});

test('serves a renewed certificate without a restart; half of one changes nothing', async () => {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const { service, state, onReach } = open();
  const [before, after] = [
    await createTlsIdentity('own', new Date()),
    await createTlsIdentity('own', new Date()),
  ];
  await writeFile(join(folder, 'own.key'), before.keyPem);
  await writeFile(join(folder, 'own.pem'), before.certPem);
  const own = { cert_file: 'own.pem', key_file: 'own.key' };
  await service.apply(settings({ ...local, ...own, port, tls_port: tlsPort }), 'stage', 'hub');
  expect(await fingerprintAt(tlsPort)).toBe(before.fingerprint);

  await writeFile(join(folder, 'own.pem'), after.certPem);
  await vi.waitFor(() => expect(state()).toMatchObject({ state: 'degraded' }), 5000);
  expect(await fingerprintAt(tlsPort)).toBe(before.fingerprint);

  await writeFile(join(folder, 'own.key'), after.keyPem);
  await vi.waitFor(() => expect(state()).toMatchObject({ state: 'ok' }), 5000);
  expect(await fingerprintAt(tlsPort)).toBe(after.fingerprint);
  expect(service.reach?.fingerprint).toBe(after.fingerprint);
  expect(onReach).toHaveBeenCalled();
});

test.each([
  ['empty', ''],
  ['nothing but NULs', '\0'.repeat(200)],
])(
  'its own key is %s after a power cut: HTTPS runs with a new one, and this is reported',
  async (_what, key) => {
    const [port, tlsPort] = [await freePort(), await freePort()];
    const paths = dataPaths(folder);
    const old = await createTlsIdentity('stage', new Date());
    await writeFile(paths.tlsCert, old.certPem);
    await writeFile(paths.tlsKey, key);
    const { service, state } = open();
    await service.apply(settings({ ...local, port, tls_port: tlsPort }), 'stage', 'hub');
    expect(await fingerprintAt(tlsPort)).toBe(service.reach?.fingerprint);
    expect(state()?.reason).toContain('damaged');
  },
);

test('nothing listens after it was closed, not even settings applied then', async () => {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const { service } = open();
  const good = settings({ ...local, port, tls_port: tlsPort });
  await service.apply(good, 'stage', 'hub');
  await service.close();
  await service.apply(settings({ ...local, port, tls: false }), 'stage', 'hub');
  await expect(answers(port)).rejects.toThrow();
});

test('a simulation does not start if its port is taken, and says what to do', async () => {
  const taken = await occupy();
  const keys = freshKeys();
  const service = new HttpService({
    ports: apiPortsFake(),
    keys,
    paths: dataPaths(folder),
    configFile: join(folder, 'x.toml'),
    version: '1',
    simulation: true,
    port: taken.port,
    onReach: () => {},
    log: pino({ level: 'silent' }),
    network: { subscribe: () => () => {} },
    health: new Health().register('http', { core: true }),
  });
  cleanup.push(() => service.close());
  await expect(service.apply(settings({}), 'stage', 'hub')).rejects.toMatchObject({ code: 'PORT_TAKEN' });
});
