import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionClaim } from '../contract/ports.ts';
import { freshKeys } from '../system/key-store.fake.ts';
import { apiPortsFake } from './api-ports.fake.ts';
import { makePages, openApiServer, type RunningApiServer } from './api-server.fake.ts';
import { securePages } from './middleware/secure-pages.ts';

let server: RunningApiServer;
let pages: Awaited<ReturnType<typeof makePages>>;
let url = '';
let token = '';
let other = '';
/** What was asked to be ended, and by whom. */
const claims: SessionClaim[] = [];

beforeAll(async () => {
  pages = await makePages();
  const keys = freshKeys();
  token = (await keys.create('viewer', 'vlc')).token;
  other = (await keys.create('viewer', 'phone')).token;
  const ports = apiPortsFake();
  const signaling = { ...ports.signaling, close: async (claim: SessionClaim) => void claims.push(claim) };
  server = await openApiServer({
    keys,
    required: true,
    pages: pages.path,
    ports: { ...ports, signaling },
  });
  url = server.url;
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await pages[Symbol.asyncDispose]();
});

test('asks a player for a password and accepts its key as one', async () => {
  const asked = await fetch(`${url}/whep/cam0`);
  expect(asked.status).toBe(401);
  expect(asked.headers.get('www-authenticate')).toBe(
    'Bearer realm="rushlight", Basic realm="rushlight", charset="UTF-8"',
  );
  const authorization = `Basic ${Buffer.from(`anybody:${token}`).toString('base64')}`;
  expect((await fetch(`${url}/whep/cam0`, { headers: { authorization } })).status).toBe(200);
});

test('does not ask a page, whose browser would open a dialog, nor other requests', async () => {
  const headers = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)', accept: '*/*' };
  const byPage = await fetch(`${url}/whep/cam0`, { headers });
  expect(byPage.headers.get('www-authenticate')).toBe('Bearer realm="rushlight"');
  const other = await fetch(`${url}/api/status`);
  expect(other.headers.get('www-authenticate')).toBe('Bearer realm="rushlight"');
});

test('a session is ended with the key of the caller, and with the kind and the feed of the address', async () => {
  for (const [key, path] of [
    [token, '/whep/cam0/session-1'],
    [other, '/whep/cam0/session-1'],
    [other, '/whep/cam1/session-1'],
  ] as const) {
    await fetch(url + path, { method: 'DELETE', headers: { authorization: `Bearer ${key}` } });
  }
  const [mine, others, elsewhere] = claims;
  expect(mine).toMatchObject({
    kind: 'whep',
    feed: 'cam0',
    sessionId: 'session-1',
    caller: { role: 'viewer' },
  });
  expect(others?.caller.keyId).not.toBe(mine?.caller.keyId);
  expect(elsewhere).toMatchObject({ feed: 'cam1', caller: others?.caller });
});

test.each(['/whip/cam0/session-1', '/whep/cam0/session-1'])(
  'a page of another origin may trickle to and end %s',
  async (path) => {
    const answer = await fetch(url + path, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://player.example.org',
        'access-control-request-method': 'DELETE',
        'access-control-request-headers': 'authorization,if-match,content-type',
      },
    });
    expect(answer.status).toBe(204);
    const listed = (name: string) => (answer.headers.get(name) ?? '').toLowerCase().split(', ');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(listed('access-control-allow-methods')).toEqual(expect.arrayContaining(['delete', 'patch']));
    expect(listed('access-control-allow-headers')).toEqual(
      expect.arrayContaining(['authorization', 'if-match', 'content-type']),
    );
    expect(listed('access-control-expose-headers')).toEqual(
      expect.arrayContaining(['location', 'etag', 'link']),
    );
  },
);

test('redirects a page opened from another machine to HTTPS, and nothing but pages', async () => {
  const app = new Koa();
  app.use((ctx, next) => {
    // As seen from another machine.
    Object.defineProperty(ctx.req.socket, 'remoteAddress', { value: '192.0.2.7', configurable: true });
    return next();
  });
  app.use(securePages({ tlsPort: 8443 }));
  app.use((ctx) => {
    ctx.body = 'page';
  });
  const server = createServer(app.callback());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open = (accept: string) => fetch(`${at}/takes?x=1`, { headers: { accept }, redirect: 'manual' });
  const page = await open('text/html,*/*');
  expect([page.status, page.headers.get('location')]).toEqual([307, 'https://127.0.0.1:8443/takes?x=1']);
  expect((await open('application/json')).status).toBe(200);
  server.closeAllConnections();
  server.close();
});
