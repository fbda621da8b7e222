import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { credentialsAt } from './credential-scope.ts';
import { deleteSession, postOffer } from './whip-client.ts';

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
}

const signal = new AbortController().signal;
const access = { token: 'secret', timeoutMs: 10_000 };

class Peer {
  readonly seen: Seen[] = [];
  readonly server: Server;
  answer: (request: IncomingMessage) => { status: number; location?: string } = () => ({ status: 204 });

  constructor() {
    this.server = createServer((request, response) => {
      const { method = '', url: path = '', headers } = request;
      this.seen.push({ method, path, authorization: headers.authorization });
      const { status, location } = this.answer(request);
      response.writeHead(status, location === undefined ? {} : { location });
      response.end('v=0');
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
}

let hub: Peer;
let other: Peer;

beforeEach(async () => {
  hub = new Peer();
  other = new Peer();
  for (const { server } of [hub, other]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  other.answer = () => ({ status: 201, location: '/session' });
});

afterEach(async () => {
  for (const { server } of [hub, other]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('the token', () => {
  test('goes where the same server leads', async () => {
    hub.answer = ({ url }) =>
      url === '/whip/a' ? { status: 307, location: '/whip/b' } : { status: 201, location: '/whip/b/1' };
    const { resource, access: granted } = await postOffer(`${hub.url}/whip/a`, 'v=0', access, signal);
    await deleteSession(resource, { ...access, ...granted }, signal);
    expect(hub.seen.map(({ authorization }) => authorization)).toEqual(Array(3).fill('Bearer secret'));
  });

  test.each([307, 308])('stays where a %i leads to another server', async (status) => {
    hub.answer = () => ({ status, location: `${other.url}/whip/a` });
    const { access: granted, resource } = await postOffer(`${hub.url}/whip/a`, 'v=0', access, signal);
    await deleteSession(resource, granted, signal);
    expect(other.seen).toEqual([
      { method: 'POST', path: '/whip/a', authorization: undefined },
      { method: 'DELETE', path: '/session', authorization: undefined },
    ]);
  });

  test('does not come back on the way home', async () => {
    other.answer = () => ({ status: 307, location: `${hub.url}/whip/b` });
    hub.answer = ({ url }) =>
      url === '/whip/a' ? { status: 307, location: `${other.url}/x` } : { status: 201, location: '/s' };
    await postOffer(`${hub.url}/whip/a`, 'v=0', access, signal);
    expect(hub.seen.map(({ authorization }) => authorization)).toEqual(['Bearer secret', undefined]);
  });

  test('stays where the session is said to be at another server', async () => {
    hub.answer = () => ({ status: 201, location: `${other.url}/whip/a/1` });
    const { resource, access: granted } = await postOffer(`${hub.url}/whip/a`, 'v=0', access, signal);
    await deleteSession(resource, granted, signal);
    expect(other.seen).toEqual([{ method: 'DELETE', path: '/whip/a/1', authorization: undefined }]);
  });
});

const pin = Array(32).fill('AA').join(':');

describe('what may be used at an address that a server named', () => {
  const at = (from: string, to: string, credentials: Parameters<typeof credentialsAt>[2]) =>
    credentialsAt(new URL(from), new URL(to), credentials);

  test.each([
    ['https://hub/whip/a', 'https://hub/whip/b', 'secret'],
    ['https://hub/whip/a', 'https://hub:443/whip/b', 'secret'],
    ['http://hub/whip/a', 'https://hub/whip/a', 'secret'],
    ['https://hub/whip/a', 'https://hub:8443/whip/a', undefined],
    ['https://hub/whip/a', 'https://hub.example.org/whip/a', undefined],
    ['http://hub/whip/a', 'http://other/whip/a', undefined],
    ['http://hub/whip/a', 'https://other/whip/a', undefined],
  ])('from %s to %s: %s', (from, to, token) => {
    expect(at(from, to, { token: 'secret' }).token).toBe(token);
    if (to.startsWith('https:') && from.startsWith('https:')) {
      expect(at(from, to, { token: 'secret', tlsFingerprint: pin })).toEqual({ token, tlsFingerprint: pin });
    }
  });

  test.each([
    ['https://hub/whip/a', 'http://hub/whip/a'],
    ['https://hub/whip/a', 'http://127.0.0.1/whip/a'],
    ['https://hub/whip/a', 'file:///etc/passwd'],
    ['http://hub/whip/a', 'data:text/plain,x'],
  ])('from %s to %s: nothing, with and without a pinned certificate', (from, to) => {
    expect(() => at(from, to, { token: 'secret' })).toThrow('server');
    expect(() => at(from, to, { token: 'secret', tlsFingerprint: pin })).toThrow('server');
  });
});
