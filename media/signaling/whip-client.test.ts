import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { deleteSession, postOffer } from './whip-client.ts';

interface Request {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

const servers: Server[] = [];

/** A server that answers every request alike, and what it was asked. */
async function serve(status: number, headers: Record<string, string>, body = '') {
  const requests: Request[] = [];
  const server = createServer((request, response) => {
    requests.push({ method: request.method, url: request.url, headers: request.headers });
    request.resume();
    response.writeHead(status, headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return { requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const access = { token: 'secret', timeoutMs: 2000 };
const post = (url: string) => postOffer(url, 'offer', access, AbortSignal.timeout(5000));

describe('Offering a session to another server', () => {
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
    vi.useRealTimers();
  });

  it('works if the answer names no session (go2rtc): there is none to end', async () => {
    const server = await serve(201, { 'content-type': 'application/sdp' }, 'answer');
    await expect(post(`${server.url}/api/webrtc?src=x`)).resolves.toEqual({
      answer: 'answer',
      countered: false,
      resource: null,
      namesRelay: false,
    });
  });

  it.each([
    [
      'ours',
      { 'content-type': 'application/problem+json' },
      '{"detail":"feed x has no publisher"}',
      'feed x has no',
    ],
    [
      'MediaMTX',
      { 'content-type': 'application/json' },
      '{"status":"error","error":"path not found"}',
      'path not found',
    ],
    ['go2rtc', { 'content-type': 'text/plain' }, 'stream not found\nat line 1', 'stream not found'],
    ['one that says nothing', {}, '', 'nobody publishes there'],
    ['a web server', { 'content-type': 'text/html' }, '<html>404</html>', 'nobody publishes there'],
    ['a page without a type', {}, '<!DOCTYPE html><p>x', 'nobody publishes there'],
    ['a list', { 'content-type': 'application/json' }, '[1]', 'nobody publishes there'],
  ])('quotes %s and names the server', async (_who, headers, body, words) => {
    const server = await serve(404, headers as Record<string, string>, body);
    const error = await post(server.url).catch((one: Error) => one);
    expect(error).toMatchObject({ code: 'HUB_REFUSED', status: 404 });
    expect(`${error}`).toContain(`${new URL(server.url).host} answered 404: `);
    expect(`${error}`).toContain(words);
    expect(`${error}`).not.toMatch(/[<\n]/);
  });

  it('does not pass on control characters or very long text', async () => {
    const server = await serve(500, { 'content-type': 'text/plain' }, `\u001b[31m${'x'.repeat(9000)}`);
    const error = await post(server.url).catch((one: Error) => one);
    expect(`${error}`).not.toContain('\u001b');
    expect(`${error}`.length).toBeLessThan(300);
  });

  it('sends secrets only to the server they are meant for', async () => {
    const elsewhere = await serve(201, { location: '/session/1' }, 'answer');
    const server = await serve(307, { location: `${elsewhere.url}/whip/cam0` });
    const { resource } = await post(`${server.url}/whip/cam0`);
    await deleteSession(resource ?? '', `${server.url}/whip/cam0`, access, AbortSignal.timeout(5000));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer secret']);
    expect(elsewhere.requests.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
    expect(elsewhere.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  it('sends them along to another path of the same server', async () => {
    const server = await serve(308, { location: '/elsewhere' });
    await expect(post(server.url)).rejects.toMatchObject({
      code: 'HUB_REFUSED',
      message: 'too many redirects',
    });
    expect(new Set(server.requests.map(({ headers }) => headers.authorization))).toEqual(
      new Set(['Bearer secret']),
    );
    const own = await serve(201, { location: '/session/1' }, 'answer');
    const { resource } = await post(own.url);
    await deleteSession(resource ?? '', own.url, access, AbortSignal.timeout(5000));
    expect(own.requests[1]).toMatchObject({ method: 'DELETE', headers: { authorization: 'Bearer secret' } });
  });

  it.each([
    ['7', 7],
    ['Mon, 30 Nov 2026 12:01:30 GMT', 90],
    ['soon', undefined],
  ])('waits as long as the server asks for: %s', async (value, seconds) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 10, 30, 12) });
    const server = await serve(503, { 'retry-after': value });
    const error = await post(server.url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'HUB_REFUSED', status: 503 });
    expect((error as { retryAfterS: number | undefined }).retryAfterS).toBe(seconds);
  });

  it.each([
    ['<stun:stun.example:3478>; rel="ice-server"', false],
    ['<turns:turn.example:443?transport=tcp>; rel="ice-server"; username="u"; credential="c"', true],
    ['<https://a/next>; rel="next", <turn:turn.example>; rel=ice-server', true],
    ['<turn:turn.example>; rel="next"', false],
  ])('detects whether the server names a relay: %s', async (link, namesRelay) => {
    const server = await serve(201, { link, location: '/session/1' }, 'answer');
    await expect(post(server.url)).resolves.toMatchObject({ namesRelay });
  });

  it('reports a redirect without a target', async () => {
    const server = await serve(307, { location: 'http://[' });
    await expect(post(server.url)).rejects.toMatchObject({ code: 'HUB_REFUSED' });
  });
});
