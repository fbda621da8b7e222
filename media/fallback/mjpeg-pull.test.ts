import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { eventually } from '../signaling/media-rig.fake.ts';
import { MjpegPull, type MjpegPullState, type MjpegTarget } from './mjpeg-pull.ts';

/** A camera with scripted answers. */
async function openCamera(answer: (response: ServerResponse, authorization: string | undefined) => void) {
  const server = createServer((request, response) => answer(response, request.headers.authorization));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/video`;
  return { url, [Symbol.asyncDispose]: close };
}

function pull(target: MjpegTarget) {
  const pictures: string[] = [];
  const states: MjpegPullState[] = [];
  const abort = new AbortController();
  const running = new MjpegPull({
    target,
    onPicture: (picture) => pictures.push(picture.toString()),
    onState: (state) => states.push(state),
    logger: pino({ level: 'silent' }),
  }).run(abort.signal);
  const end = async () => {
    abort.abort();
    await running;
  };
  return { pictures, states, [Symbol.asyncDispose]: end };
}

function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=cut' });
}

const part = (text: string) => `--cut\r\nContent-Length: ${text.length}\r\n\r\n${text}\r\n`;

describe('MjpegPull', () => {
  it('passes the parts on unchanged and reconnects after the camera ends its stream', async () => {
    let answers = 0;
    await using camera = await openCamera((response) => {
      answers += 1;
      begin(response);
      response.write(part(`first of ${answers}`) + part('second'));
      if (answers < 3) response.end();
    });
    await using pulled = pull({ url: camera.url });
    await eventually(() => pulled.pictures.length === 6, 'three answers');
    expect(pulled.pictures).toEqual(['first of 1', 'second', 'first of 2', 'second', 'first of 3', 'second']);
    expect(pulled.states[0]).toEqual({ state: 'connected', reason: null });
    expect(pulled.states[1]).toEqual({ state: 'failed', reason: 'the camera ended its stream' });
    expect(pulled.states.at(-1)).toEqual({ state: 'connected', reason: null });
  });

  it('sends user and password', async () => {
    await using camera = await openCamera((response, authorization) => {
      if (authorization !== `Basic ${btoa('crew:secret')}`) return response.writeHead(401).end();
      begin(response);
      return response.write(part('yours'));
    });
    await using refused = pull({ url: camera.url });
    await using allowed = pull({ url: camera.url, username: 'crew', password: 'secret' });
    await eventually(() => allowed.pictures.length === 1 && refused.states.length > 0, 'both were answered');
    expect(refused.states[0]).toEqual({
      state: 'failed',
      reason: expect.stringContaining('set username and password'),
    });
  });

  it('answers a camera that asks for Digest without revealing the password', async () => {
    const seen: (string | undefined)[] = [];
    await using camera = await openCamera((response, authorization) => {
      seen.push(authorization);
      if (authorization?.startsWith('Digest username="crew", realm="cam"') === true) {
        begin(response);
        return response.write(part('yours'));
      }
      const challenge = 'Digest realm="cam", nonce="abc", qop="auth", Basic realm="cam"';
      return response.writeHead(401, { 'www-authenticate': challenge }).end('no');
    });
    const url = `${new URL(camera.url).origin}/video?x=1`;
    await using pulled = pull({ url, username: 'crew', password: 'secret' });
    await eventually(() => pulled.pictures.length === 1, 'the picture came');
    expect(seen[0]).toBeUndefined();
    expect(seen.every((one) => one?.startsWith('Basic') !== true)).toBe(true);
    expect(seen[1]).toContain('uri="/video?x=1"');
  });

  it('reports a wrong password', async () => {
    await using camera = await openCamera((response) => response.writeHead(401).end());
    await using pulled = pull({ url: camera.url, username: 'crew', password: 'wrong' });
    await eventually(() => pulled.states.length > 0, 'it was answered');
    expect(pulled.states[0]?.reason).toBe('the camera refuses the user name or the password');
  });

  it.each([
    ['a page', { 'content-type': 'text/html' }, '<html>', /not a stream of pictures but text\/html/],
    [
      'a part without an end',
      { 'content-type': 'multipart/x-mixed-replace; boundary=cut' },
      '--cut\r\nContent-Length: 99999999\r\n\r\n',
      /too long/,
    ],
  ])('reports what is wrong with %s', async (_what, headers, body, reason) => {
    await using camera = await openCamera((response) => void response.writeHead(200, headers).end(body));
    await using pulled = pull({ url: camera.url });
    await eventually(() => pulled.states.length > 0, 'it was refused');
    expect(pulled.states[0]).toMatchObject({ state: 'failed', reason: expect.stringMatching(reason) });
  });

  it('reports that nobody answers', async () => {
    const gone = await openCamera(() => {});
    await gone[Symbol.asyncDispose]();
    await using pulled = pull({ url: gone.url });
    await eventually(() => pulled.states.length > 0, 'nobody answered');
    expect(pulled.states[0]?.reason).toMatch(/cannot be reached.*ECONNREFUSED/);
  });
});
