import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RouteDefinition } from '../contract/index.ts';
import { type Problem, problemSchema, routes, statusSchema } from '../contract/index.ts';
import { KeyStore } from '../system/key-store.ts';
import { apiPortsFake } from './api-ports.fake.ts';
import { ApiServer } from './server.ts';

const stop = new AbortController();
const tokens: Record<'owner' | 'operator' | 'viewer' | 'camera', string> = {
  owner: '',
  operator: '',
  viewer: '',
  camera: '',
};
const running: Promise<void>[] = [];
const log = pino({ level: 'silent' });
let pages = '';
let open = '';
let locked = '';
const ports = apiPortsFake();

beforeAll(async () => {
  pages = await mkdtemp(join(tmpdir(), 'rushlight-pages-'));
  await writeFile(join(pages, 'index.html'), '<!doctype html><title>Rushlight</title>');
  const keys = new KeyStore({ read: async () => null, write: async () => {} });
  for (const role of ['owner', 'operator', 'viewer', 'camera'] as const) {
    tokens[role] = (await keys.create(role, role)).token;
  }
  const start = async (required: boolean) => {
    const server = new ApiServer({
      ports,
      access: { keys, required },
      version: '1.2.3',
      pages,
      listen: ['127.0.0.1'],
      port: 0,
      tls: null,
      upstream: null,
      log,
    });
    running.push(server.run(stop.signal));
    return `http://127.0.0.1:${await server.listening}`;
  };
  open = await start(false);
  locked = await start(true);
});

afterAll(async () => {
  stop.abort();
  await Promise.all(running);
  await rm(pages, { recursive: true });
});

async function problem(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  return problemSchema.parse(await response.json());
}

/** How a stream ends: by its end, or by being cut off. */
async function drained(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<'ended' | 'cut'> {
  try {
    while (!(await reader.read()).done);
    return 'ended';
  } catch {
    return 'cut';
  }
}

const samplePath = (path: string) =>
  path.replaceAll(/:(\w+)/g, (_all, name) => (name === 'session' ? 'session-1' : 'sample'));

describe('access', () => {
  const plain = Object.entries<RouteDefinition>(routes).filter(([, route]) => route.websocket !== true);

  test.each(plain)('%s: opens for its roles alone', async (_id, route) => {
    const call = (token: string | null) =>
      fetch(locked + samplePath(route.path), {
        method: route.method,
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(10_000),
      });
    const isPublic = route.access.includes('public');
    const without = await call(null);
    expect(without.status === 401).toBe(!isPublic);
    if (!isPublic) expect((await problem(without)).code).toBe('TOKEN_MISSING');
    else await without.body?.cancel();
    const unknown = await call('rl_nobody');
    expect(unknown.status === 401).toBe(!isPublic);
    await unknown.body?.cancel();
    const ranks = { viewer: 1, operator: 2, owner: 3 };
    for (const role of ['owner', 'operator', 'viewer', 'camera'] as const) {
      const may =
        isPublic ||
        route.access.includes(role) ||
        (role !== 'camera' &&
          route.access.some((one) => one in ranks && ranks[one as keyof typeof ranks] <= ranks[role]));
      const response = await call(tokens[role]);
      expect(response.status === 403, `${role} got ${response.status}`).toBe(!may);
      await response.body?.cancel();
    }
  });

  test('accepts a cookie in place of the token, but not from other sites', async () => {
    const opened = await fetch(`${locked}/api/session`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.operator}` },
    });
    expect(opened.status).toBe(204);
    const cookie = opened.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    const pair = cookie.split(';')[0] ?? '';
    expect((await fetch(`${locked}/api/feeds`, { headers: { cookie: pair } })).status).toBe(200);
    const forged = await fetch(`${locked}/api/takes`, {
      method: 'POST',
      headers: { cookie: pair, 'sec-fetch-site': 'cross-site' },
    });
    expect((await problem(forged)).code).toBe('ORIGIN_REFUSED');
    // Cookies know no ports, so that a page of another server of this host brings it, too.
    const link = request(`${locked}/ws/feeds/cam0`, {
      headers: {
        cookie: pair,
        origin: 'http://127.0.0.1:1',
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      },
    });
    const refused = new Promise<number | undefined>((resolve) => {
      link.once('response', (answer) => resolve(answer.resume().statusCode));
      link.once('upgrade', (_answer, socket) => resolve(void socket.destroy()));
    });
    link.end();
    expect(await refused).toBe(403);
  });

  test('keys: one revoked while its request arrives has no effect any more', async () => {
    const owner = { authorization: `Bearer ${tokens.owner}`, 'content-type': 'application/json' };
    const call = (method: string, path: string, body?: object) =>
      fetch(locked + path, { method, headers: owner, ...(body && { body: JSON.stringify(body) }) });
    const made = await call('POST', '/api/keys', { role: 'owner', subject: 'lost phone' });
    const thief = (await made.json()) as { id: string; token: string };
    const body = JSON.stringify({ role: 'owner', subject: 'thief' });
    const slow = request(`${locked}/api/keys`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${thief.token}`,
        'content-type': 'application/json',
        'content-length': body.length,
      },
    });
    const status = new Promise((resolve) => slow.once('response', (answer) => resolve(answer.statusCode)));
    slow.write(body.slice(0, 5));
    // The other requests come later on connections of their own; by then the head has been checked.
    expect((await call('GET', '/api/keys')).status).toBe(200);
    expect((await call('DELETE', `/api/keys/${thief.id}`)).status).toBe(204);
    slow.end(body.slice(5));
    expect(await status).toBe(401);
    const left = (await (await call('GET', '/api/keys')).json()) as { subject: string }[];
    const subjects = left.map(({ subject }) => subject);
    expect(subjects).not.toContain('thief');
    expect(subjects).not.toContain('lost phone');
  });

  test('keys: can be made, used and revoked', async () => {
    const owner = { authorization: `Bearer ${tokens.owner}`, 'content-type': 'application/json' };
    const made = await fetch(`${locked}/api/keys`, {
      method: 'POST',
      headers: owner,
      body: JSON.stringify({ role: 'viewer', subject: 'crew' }),
    });
    expect(made.status).toBe(201);
    const key = (await made.json()) as { id: string; token: string };
    const use = () => fetch(`${locked}/api/feeds`, { headers: { authorization: `Bearer ${key.token}` } });
    expect((await use()).status).toBe(200);
    const listed = await (await fetch(`${locked}/api/keys`, { headers: owner })).text();
    expect(listed).toContain('crew');
    expect(listed).not.toContain(key.token);
    expect((await fetch(`${locked}/api/keys/${key.id}`, { method: 'DELETE', headers: owner })).status).toBe(
      204,
    );
    expect((await problem(await use())).code).toBe('TOKEN_UNKNOWN');
  });

  test('a stream ends when its key is revoked; a key that revokes itself gets an answer', async () => {
    const owner = { authorization: `Bearer ${tokens.owner}`, 'content-type': 'application/json' };
    const make = async (role: string) => {
      const body = JSON.stringify({ role, subject: 'crew' });
      const made = await fetch(`${locked}/api/keys`, { method: 'POST', headers: owner, body });
      return (await made.json()) as { id: string; token: string };
    };
    const listen = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const { body } = await fetch(`${locked}/api/events`, { headers });
      const reader = body?.getReader();
      if (reader === undefined) throw new Error('no events');
      return { first: await reader.read(), rest: drained(reader) };
    };
    const [revoked, kept] = [await make('viewer'), await make('viewer')];
    const [ends, stays] = [await listen(revoked.token), await listen(kept.token)];
    expect([ends.first.done, stays.first.done]).toEqual([false, false]);
    const remove = (id: string, token: string) =>
      fetch(`${locked}/api/keys/${id}`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });
    expect((await remove(revoked.id, tokens.owner)).status).toBe(204);
    expect(await ends.rest).toBe('cut');
    const itself = await make('owner');
    expect((await remove(itself.id, itself.token)).status).toBe(204);
    const still = await Promise.race([
      stays.rest,
      new Promise((resolve) => setTimeout(resolve, 100, 'open')),
    ]);
    expect(still).toBe('open');
    await remove(kept.id, tokens.owner);
    expect(await stays.rest).toBe('cut');
  });

  test('without tokens, rejects pages of other sites and rebound names', async () => {
    const foreign = await fetch(`${open}/api/feeds`, { headers: { origin: 'https://example.org' } });
    expect((await problem(foreign)).code).toBe('ORIGIN_REFUSED');
    const rebound = await new Promise<number | undefined>((resolve, reject) => {
      request(`${open}/api/feeds`, { headers: { host: 'rebound.example.org' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once('error', reject)
        .end();
    });
    expect(rebound).toBe(403);
    expect((await fetch(`${open}/api/feeds`, { headers: { origin: 'http://localhost:8080' } })).status).toBe(
      200,
    );
  });
});

describe('answers', () => {
  test.each([
    '/api/status',
    '/api/feeds',
    '/api/devices',
    '/api/unplugged-devices',
    '/api/takes',
    '/api/update',
    '/healthz',
    '/readyz',
  ])('%s matches its schema', async (path) => {
    const response = await fetch(open + path);
    expect(response.status).toBe(200);
    const route = Object.values<RouteDefinition>(routes).find(
      (one) => one.path === path && one.method === 'GET',
    );
    const schema = route?.response;
    if (schema === undefined || 'contentType' in schema) throw new Error(`${path} has no schema`);
    schema.parse(await response.json());
  });

  test('the OpenAPI document names every route', async () => {
    const document = (await (await fetch(`${open}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    expect(document.openapi).toBe('3.1.0');
    const ids = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map((one) => one.operationId),
    );
    expect(ids.sort()).toEqual(Object.keys(routes).sort());
  });

  test('events start with the status and continue with changes', async () => {
    const response = await fetch(`${open}/api/events`);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (reader === undefined) throw new Error('no body');
    let text = '';
    const until = async (what: string) => {
      while (!text.includes(what)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`ended before ${what}: ${text}`);
        text += value;
      }
    };
    await until('event: status');
    const data = /data: (.*)\n/.exec(text)?.[1] ?? '';
    statusSchema.parse(JSON.parse(data).status);
    ports.emit({ type: 'device-removed', id: 'usb-1' });
    await until('event: device-removed');
    expect(ports.listeners()).toBe(1);
    await reader.cancel();
    await expect.poll(() => ports.listeners()).toBe(0);
  });

  test('WHIP and WHEP: status lines and headers', async () => {
    const options = await fetch(`${open}/whip/cam0`, { method: 'OPTIONS' });
    expect(options.status).toBe(200);
    expect(options.headers.get('accept-post')).toBe('application/sdp');
    for (const method of ['GET', 'HEAD']) {
      const endpoint = await fetch(`${open}/whep/cam0`, { method });
      expect([endpoint.status, endpoint.headers.get('content-type')]).toEqual([200, 'application/sdp']);
      expect(await endpoint.text()).toBe('');
    }
    const posted = await fetch(`${open}/whep/cam0`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: 'v=0\r\n',
    });
    expect(posted.status).toBe(201);
    expect(posted.headers.get('location')).toBe('/whep/cam0/session-1');
    expect(posted.headers.get('etag')).toBe('"tag-1"');
    expect(posted.headers.get('content-type')).toBe('application/sdp');
    expect(posted.headers.get('access-control-expose-headers')).toContain('ETag');
    expect(await posted.text()).toBe('v=0 answer');
    const patch = (headers: Record<string, string>) =>
      fetch(`${open}/whep/cam0/session-1`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/trickle-ice-sdpfrag', ...headers },
        body: 'a=candidate',
      });
    expect((await patch({ 'if-match': '"tag-1"' })).status).toBe(204);
    const restarted = await patch({ 'if-match': '*' });
    expect(restarted.status).toBe(200);
    expect(restarted.headers.get('etag')).toBe('"tag-2"');
    expect(await restarted.text()).toBe('a=ice-ufrag:new');
    expect((await patch({})).status).toBe(428);
    const ended = await fetch(`${open}/whep/cam0/session-1`, { method: 'DELETE' });
    expect(ended.status).toBe(200);
    const busy = await fetch(`${open}/whip/busy`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: 'v=0\r\n',
    });
    expect(busy.status).toBe(409);
    expect(busy.headers.get('retry-after')).toBe('2');
  });

  test.each([
    ['POST', '/whep/rate', 'application/sdp'],
    ['PATCH', '/whep/rate/session-1', 'application/trickle-ice-sdpfrag'],
    ['DELETE', '/whep/rate/session-1', null],
    ['POST', '/whep/rate/session-1/layer', 'application/json'],
    ['POST', '/whip/rate/layers/low', 'application/sdp'],
  ])('rejects %s of %s by the hundred with 429 and says when to retry', async (method, path, type) => {
    const headers = { ...(type === null ? {} : { 'content-type': type }) };
    const body = type === 'application/json' ? '{}' : 'a=x';
    const send = () => fetch(open + path, { method, headers, ...(type === null ? {} : { body }) });
    const statuses = new Set<number>();
    for (let sent = 0; sent < 600 && !statuses.has(429); sent += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, send));
      for (const answer of answers) {
        statuses.add(answer.status);
        if (answer.status === 429) expect(answer.headers.get('retry-after')).toBe('1');
      }
    }
    expect(statuses).toContain(429);
  });

  test('serves a master whole and in parts', async () => {
    const file = join(pages, 'master.mkv');
    await writeFile(file, '0123456789');
    ports.masterPath = file;
    const whole = await fetch(`${open}/api/takes/t1/masters/cam0`);
    expect(whole.status).toBe(200);
    expect(whole.headers.get('accept-ranges')).toBe('bytes');
    expect(whole.headers.get('content-disposition')).toContain('cam0-0001.mkv');
    expect(await whole.text()).toBe('0123456789');
    const part = await fetch(`${open}/api/takes/t1/masters/cam0`, { headers: { range: 'bytes=2-4' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe('bytes 2-4/10');
    expect(await part.text()).toBe('234');
    const none = await fetch(`${open}/api/takes/t1/masters/cam0`, { headers: { range: 'bytes=50-' } });
    expect((await problem(none)).status).toBe(416);
    const link = join(pages, 'link.mkv');
    await symlink(file, link);
    for (const strange of [link, pages, join(pages, 'gone.mkv')]) {
      ports.masterPath = strange;
      expect((await problem(await fetch(`${open}/api/takes/t1/masters/cam0`))).status).toBe(404);
    }
  });

  test('serves the page, and nothing outside its folder', async () => {
    const page = await fetch(`${open}/`);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const long = 'a'.repeat(300);
    const nowhere = [
      '/nothing-here',
      '/index.html/x',
      `/${long}`,
      `/assets/${'b/'.repeat(2500)}`,
      `/api/${long}`,
    ];
    for (const path of ['/..%2f..%2fetc%2fpasswd', '/%00', '/%', ...nowhere]) {
      expect((await problem(await fetch(open + path))).status).toBe(404);
    }
  });
});

describe('bad input gets a problem document', () => {
  const cases: [string, string, RequestInit, number, string][] = [
    ['wrong method', '/api/status', { method: 'POST' }, 405, 'METHOD_NOT_ALLOWED'],
    ['feed name', '/api/feeds/UPPER', {}, 400, 'REQUEST_INVALID'],
    ['unknown feed', '/api/feeds/nothing', {}, 404, 'FEED_UNKNOWN'],
    [
      'no JSON',
      '/api/takes',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' },
      400,
      'REQUEST_INVALID',
    ],
    [
      'unknown field',
      '/api/takes',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"camera":"x"}' },
      400,
      'REQUEST_INVALID',
    ],
    [
      'form instead of JSON',
      '/api/takes',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' },
      415,
      'MEDIA_TYPE_UNSUPPORTED',
    ],
    [
      'offer of another type',
      '/whip/cam0',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' },
      415,
      'MEDIA_TYPE_UNSUPPORTED',
    ],
    [
      'offer too large',
      '/whip/cam0',
      { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: 'x'.repeat(300_000) },
      413,
      'BODY_TOO_LARGE',
    ],
    ['a session that is none', '/whip/a/b', { method: 'DELETE' }, 404, 'SESSION_NOT_FOUND'],
    ['a viewer that is none', '/whep/a/b', {}, 404, 'SESSION_NOT_FOUND'],
    [
      'JSON nested a hundred thousand deep',
      '/api/config',
      {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
      },
      400,
      'REQUEST_INVALID',
    ],
    ['segment 0', '/api/takes/t1/masters/cam0?segment=0', {}, 400, 'REQUEST_INVALID'],
    [
      'tally of no kind',
      '/api/tally',
      { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"state":"pink"}' },
      400,
      'REQUEST_INVALID',
    ],
    [
      'controls without any',
      '/api/devices/usb-1/controls',
      { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{}' },
      400,
      'REQUEST_INVALID',
    ],
    ['an error of ours', '/api/takes/explode', {}, 500, 'INTERNAL'],
  ];

  test.each(cases)('%s', async (_what, path, init, status, code) => {
    const answer = await problem(await fetch(open + path, init));
    expect(answer).toMatchObject({ status, code, instance: path.split('?')[0] });
    if (status === 500) expect(JSON.stringify(answer)).not.toContain('secret detail');
  });
});

test('explains a taken port', async () => {
  const port = Number(new URL(open).port);
  const server = new ApiServer({
    ports,
    access: { keys: new KeyStore({ read: async () => null, write: async () => {} }), required: false },
    version: '1',
    pages,
    listen: ['127.0.0.1'],
    port,
    tls: null,
    upstream: null,
    log,
  });
  await expect(server.run(AbortSignal.timeout(5000))).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    hint: expect.stringContaining('RUSHLIGHT_PORT'),
  });
});
