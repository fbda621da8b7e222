import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RouteDefinition, routes } from '../contract/index.ts';
import { freshKeys } from '../system/key-store.fake.ts';
import { openApiServer, problemIn, type RunningApiServer } from './api-server.fake.ts';

const tokens = { owner: '', operator: '', viewer: '', camera: '' };
const roles = ['owner', 'operator', 'viewer', 'camera'] as const;
const servers: RunningApiServer[] = [];
let open = '';
let locked = '';

beforeAll(async () => {
  const keys = freshKeys();
  for (const role of roles) tokens[role] = (await keys.create(role, role)).token;
  for (const required of [false, true]) servers.push(await openApiServer({ keys, required }));
  [open = '', locked = ''] = servers.map(({ url }) => url);
});

afterAll(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
});

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
    if (!isPublic) expect((await problemIn(without)).code).toBe('TOKEN_MISSING');
    else await without.body?.cancel();
    const unknown = await call('rl_nobody');
    expect(unknown.status === 401).toBe(!isPublic);
    await unknown.body?.cancel();
    const ranks = { viewer: 1, operator: 2, owner: 3 };
    for (const role of roles) {
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
    expect((await problemIn(forged)).code).toBe('ORIGIN_REFUSED');
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
    expect((await problemIn(await use())).code).toBe('TOKEN_UNKNOWN');
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
    expect((await problemIn(foreign)).code).toBe('ORIGIN_REFUSED');
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
