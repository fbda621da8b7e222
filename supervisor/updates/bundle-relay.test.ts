import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createPlainServer, type RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseByteRange } from '../../common/byte-range.ts';
import type { HubEndpoint } from '../discovery/hub-endpoint.ts';
import { createTlsIdentity, type TlsIdentity } from '../system/tls-identity.ts';
import { BundleRelay } from './bundle-relay.ts';

const log = pino({ level: 'silent' });
const bundle = randomBytes(400_000);
const etag = `"${createHash('sha256').update(bundle).digest('hex')}"`;
const path = '/api/rollout/bundles/x';
const cleanup: (() => Promise<void>)[] = [];
let tls: TlsIdentity;

beforeAll(async () => {
  tls = await createTlsIdentity('hub', new Date());
});
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

interface PlayedHub {
  readonly access: HubEndpoint;
  readonly seen: { range: string | undefined; authorization: string | undefined }[];
}

/** `breaks`: so many answers end after 50,000 bytes; `notYet`: so many are 503. */
async function playHub(mood: { breaks?: number; notYet?: number } = {}): Promise<PlayedHub> {
  const seen: PlayedHub['seen'] = [];
  const left = { breaks: mood.breaks ?? 0, notYet: mood.notYet ?? 0 };
  const handle: RequestListener = (request, response) => {
    const { range, authorization } = request.headers;
    seen.push({ range, authorization });
    if (left.notYet-- > 0) return response.writeHead(503).end();
    const part = partOf(range);
    const body = bundle.subarray(part.start, part.end + 1);
    response.writeHead(range === undefined ? 200 : 206, {
      etag,
      'content-length': body.length,
      'accept-ranges': 'bytes',
      'content-range': `bytes ${part.start}-${part.end}/${bundle.length}`,
    });
    if (left.breaks-- > 0 && body.length > 50_000) {
      return response.write(body.subarray(0, 50_000), () => response.destroy());
    }
    return response.end(request.method === 'HEAD' ? undefined : body);
  };
  const server = createServer({ cert: tls.certPem, key: tls.keyPem }, handle);
  const port = await listen(server);
  const access = { url: `https://127.0.0.1:${port}`, token: 'rl_secret', tlsFingerprint: tls.fingerprint };
  return { access, seen };
}

async function listen(server: Server | ReturnType<typeof createPlainServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

/** What is asked for, or all of it. */
function partOf(header: string | undefined) {
  const range = parseByteRange(header, bundle.length);
  return typeof range === 'string' ? { start: 0, end: bundle.length - 1 } : range;
}

async function open(hub: () => HubEndpoint | null, patienceMs = 20_000): Promise<BundleRelay> {
  const relay = await BundleRelay.open({ hub, path, log, patienceMs });
  cleanup.push(() => relay[Symbol.asyncDispose]());
  return relay;
}

const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer());

describe('the relay', () => {
  test('passes parts of the bundle on unchanged, with the key of the camera', async () => {
    const hub = await playHub();
    const { url } = await open(() => hub.access);
    const part = await fetch(url, { headers: { range: 'bytes=1000-2999' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([
      206,
      `bytes 1000-2999/${bundle.length}`,
    ]);
    expect((await bytes(part)).equals(bundle.subarray(1000, 3000))).toBe(true);
    expect((await bytes(await fetch(url))).equals(bundle)).toBe(true);
    expect((await fetch(url, { method: 'HEAD' })).headers.get('content-length')).toBe(String(bundle.length));
    expect(hub.seen[0]).toEqual({ range: 'bytes=1000-2999', authorization: 'Bearer rl_secret' });
  });

  test('resumes where the hub broke off, as often as necessary', async () => {
    const hub = await playHub({ breaks: 3 });
    const { url } = await open(() => hub.access);
    const part = await fetch(url, { headers: { range: 'bytes=100-300099' } });
    expect((await bytes(part)).equals(bundle.subarray(100, 300_100))).toBe(true);
    expect(hub.seen.length).toBeGreaterThanOrEqual(4);
    expect(hub.seen.at(-1)?.range).toMatch(/^bytes=\d+-300099$/);
  });

  test('resumes after a connection reset, as from a hub whose power returned', async () => {
    const seen: (string | undefined)[] = [];
    const server = createPlainServer((request, response) => {
      const { range } = request.headers;
      seen.push(range);
      const { start, end } = partOf(range);
      const body = bundle.subarray(start, end + 1);
      const head = {
        etag,
        'content-length': body.length,
        'content-range': `bytes ${start}-${end}/${bundle.length}`,
      };
      response.writeHead(range === undefined ? 200 : 206, head);
      if (seen.length > 1) return response.end(body);
      return response.write(body.subarray(0, 50_000), () =>
        setTimeout(() => request.socket.resetAndDestroy(), 50),
      );
    });
    const url = `http://127.0.0.1:${await listen(server)}`;
    const relay = await open(() => ({ url, token: null, tlsFingerprint: null }));
    expect((await bytes(await fetch(relay.url))).equals(bundle)).toBe(true);
    expect(seen).toHaveLength(2);
  });

  test('never mixes two bundles', async () => {
    const hub = await playHub({ breaks: 1 });
    // Another one, by then: it answers If-Range with the whole of what it has.
    const port = await listen(createPlainServer((_request, response) => response.writeHead(200).end(bundle)));
    const other = { url: `http://127.0.0.1:${port}`, token: null, tlsFingerprint: null };
    let asked = 0;
    const { url } = await open(() => (asked++ === 0 ? hub.access : other));
    await expect(fetch(url).then(bytes)).rejects.toThrow();
  });

  test('neither loops with a hub that answers with nothing nor passes on more than announced', async () => {
    let asked = 0;
    const server = createPlainServer((request, response) => {
      asked += 1;
      const head = { etag, 'content-range': `bytes 0-99/${bundle.length}` };
      if (request.headers.range === undefined) {
        response.writeHead(200, { ...head, 'content-length': 100 });
        response.write(bundle.subarray(0, 50), () => response.destroy());
      } else if (asked < 20) {
        response.writeHead(206, { ...head, 'content-length': 0 }).end();
      } else {
        response.writeHead(206, head).end(bundle.subarray(0, 5000));
      }
    });
    const url = `http://127.0.0.1:${await listen(server)}`;
    const relay = await open(() => ({ url, token: null, tlsFingerprint: null }));
    await expect(fetch(relay.url).then(bytes)).rejects.toThrow();
    expect(asked).toBeLessThan(15);
    asked = 19;
    const first = await open(() => ({ url, token: null, tlsFingerprint: null }));
    expect(await bytes(await fetch(first.url))).toHaveLength(100);
  }, 30_000);

  test('waits for a hub that is not there yet, has moved or is still verifying', async () => {
    const hub = await playHub({ notYet: 2 });
    let asked = 0;
    const { url } = await open(() => {
      asked += 1;
      return asked < 3 ? null : hub.access;
    });
    expect((await bytes(await fetch(url))).equals(bundle)).toBe(true);
    expect(hub.seen).toHaveLength(3);
  });

  test('finally gives up with a message, shows no key to another hub and answers nobody else', async () => {
    const nowhere = await open(() => null, 0);
    expect((await fetch(nowhere.url)).status).toBe(502);
    const hub = await playHub();
    const stranger = await open(() => ({ ...hub.access, tlsFingerprint: '0'.repeat(64) }), 0);
    expect((await fetch(stranger.url)).status).toBe(502);
    expect(hub.seen).toEqual([]);
    const { url } = await open(() => hub.access);
    expect((await fetch(new URL('/bundle.raucb', url))).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    expect(hub.seen).toEqual([]);
  });
});
