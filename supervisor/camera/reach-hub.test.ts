import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FakeIdentity, fakeIdentity } from '../discovery/tls-identity.fake.ts';
import { reachHub } from './reach-hub.ts';

const never = new AbortController().signal;
const cleanup: (() => void)[] = [];
let hub: FakeIdentity;
let stranger: FakeIdentity;

beforeAll(() => {
  [hub, stranger] = [fakeIdentity('hub'), fakeIdentity('stranger')];
});

afterEach(() => {
  for (const end of cleanup.splice(0)) end();
});

describe('reachHub', () => {
  it('skips an address that drops everything and one with another key', async () => {
    const [hole, other, good] = [await swallow(), await show(stranger), await show(hub)];
    const reached = await reach([hole, other, good]);
    expect(reached.url).toBe(good);
    expect(reached.tls).toMatchObject({ ca: expect.stringContaining('BEGIN CERTIFICATE') });
  });

  it('reports another key if no address has the right one', async () => {
    const addresses = [await refuse(), await show(stranger), await refuse()];
    await expect(reach(addresses)).rejects.toMatchObject({ code: 'HUB_KEY_CHANGED' });
  });

  it('reports why the first address failed if all did', async () => {
    const addresses = [await refuse(), await refuse()];
    await expect(reach(addresses)).rejects.toThrow(addresses[0]?.replace('https://', ''));
  });

  it('finds the address that accepts connections without TLS', async () => {
    const plain = (url: string) => url.replace('https:', 'http:');
    const [closed, open] = [plain(await refuse()), plain(await swallow())];
    const reached = await reachHub({ url: closed, otherUrls: [open] }, { pin: null, hasKey: true }, never);
    expect(reached).toEqual({ url: open, tls: {} });
  });

  it('sends no key in the clear once a key of the hub is known, as anybody may use its name', async () => {
    const [plain, good] = [(await swallow()).replace('https:', 'http:'), await show(hub)];
    const trust = { pin: hub.fingerprint, hasKey: true };
    await expect(reachHub({ url: plain, otherUrls: [] }, trust, never)).rejects.toMatchObject({
      code: 'HUB_KEY_CHANGED',
    });
    expect((await reach([plain, good])).url).toBe(good);
  });

  function reach([url = '', ...otherUrls]: readonly string[]) {
    return reachHub({ url, otherUrls }, { pin: hub.fingerprint, hasKey: true }, never);
  }
});

function show(identity: FakeIdentity): Promise<string> {
  return listen(createTlsServer(identity));
}

/** Takes connections, and never says a word. */
function swallow(): Promise<string> {
  return listen(createTcpServer());
}

async function refuse(): Promise<string> {
  const server = createTcpServer();
  const url = await listen(server);
  server.close();
  return url;
}

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `https://127.0.0.1:${address.port}`;
}
