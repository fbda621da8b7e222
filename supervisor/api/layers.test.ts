import { afterAll, beforeAll, expect, test } from 'vitest';
import { apiPortsFake } from './api-ports.fake.ts';
import { openApiServer, type RunningApiServer } from './api-server.fake.ts';

const ports = apiPortsFake();
let server: RunningApiServer;
let url = '';

beforeAll(async () => {
  server = await openApiServer({ ports });
  url = server.url;
});

afterAll(async () => await server[Symbol.asyncDispose]());

const post = (path: string, body: unknown) =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Reads a stream of events until `what` was in it. */
const readUntil = async (response: Response, what: string) => {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (reader !== undefined && !text.includes(what)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  return { text, reader };
};

test('the answer to a viewer names the extensions; the one to a publisher does not', async () => {
  const offer = (path: string) =>
    fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: 'v=0' });
  const viewed = await offer('/whep/cam0');
  expect(viewed.headers.get('link')?.split(', ')).toEqual([
    '</whep/cam0/session-1/layer>; rel="urn:ietf:params:whep:ext:core:layer"',
    '</whep/cam0/session-1/sse>; rel="urn:ietf:params:whep:ext:core:server-sent-events"; events="active,inactive,layers,viewercount"',
  ]);
  expect((await offer('/whip/cam0')).headers.get('link')).toBeNull();
  const small = await offer('/whip/cam0/layers/low');
  expect([small.status, small.headers.get('location')]).toEqual([201, '/whip/cam0/session-1']);
});

test('a page of another origin may choose a layer and read events', async () => {
  for (const path of ['layer', 'sse', 'sse/some']) {
    const answer = await fetch(`${url}/whep/cam0/session-1/${path}`, {
      method: 'OPTIONS',
      headers: { origin: 'https://player.example.org', 'access-control-request-method': 'POST' },
    });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
  }
});

test('a viewer can choose a layer by the names of this draft or the one before, and pause', async () => {
  const chosen = async (wish: unknown) => await (await post('/whep/cam0/session-1/layer', wish)).json();
  expect(await chosen({ mediaId: '0', rid: 'low' })).toEqual({ rid: 'low', paused: false });
  expect(await chosen({ encodingId: 'low', spatialLayerId: 1 })).toEqual({ rid: 'low', paused: false });
  expect(await chosen({ paused: true })).toEqual({ rid: 'high', paused: true });
  expect(await chosen({})).toEqual({ rid: 'high', paused: false });
  expect((await post('/whep/cam0/session-1/layer', { rid: 'hd' })).status).toBe(400);
  expect((await post('/whep/cam0/gone/layer', { rid: 'low' })).status).toBe(404);
});

test('an event stream lists the layers and their changes, and ends when it is closed', async () => {
  const opened = await post('/whep/cam0/session-1/sse', ['active', 'inactive', 'layers']);
  expect(opened.status).toBe(201);
  const at = opened.headers.get('location') ?? '';
  expect(at).toMatch(/^\/whep\/cam0\/session-1\/sse\/[0-9a-f]{32}$/);
  const first = await fetch(url + at);
  expect(first.headers.get('content-type')).toContain('text/event-stream');
  const now = await readUntil(first, 'data: {"0"');
  expect(now.text).toContain('event: active\ndata: {}\n\n');
  expect(now.text).toContain('data: {"0":[]}\n\n');
  const status = await ports.status();
  const small = { rid: 'low' as const, width: 640, height: 360, fps: 30, bitrateKbps: 312 };
  const feeds = status.feeds.map((feed) => ({ ...feed, layers: [small] }));
  ports.emit({ type: 'status', status: { ...status, feeds } });
  const changed = await now.reader?.read();
  expect(changed?.value).toBe(
    'event: layers\ndata: {"0":[{"rid":"low","bitrate":300000,"width":640,"height":360}]}\n\n',
  );
  // The same again is not reported.
  ports.emit({ type: 'status', status: { ...status, feeds } });
  ports.emit({ type: 'status', status: { ...status, feeds: [] } });
  const gone = await now.reader?.read();
  expect(gone?.value).toContain('event: inactive\ndata: {}\n\n');
  expect((await fetch(url + at, { method: 'DELETE' })).status).toBe(200);
  let done = false;
  while (!done) done = (await now.reader?.read())?.done ?? true;
  expect((await fetch(url + at)).status).toBe(404);
  expect(ports.listeners()).toBe(0);
});

test('event streams belong to a living session, and each has a limit of them', async () => {
  expect((await post('/whep/cam0/gone/sse', ['layers'])).status).toBe(404);
  const places = [];
  for (let n = 0; n < 6; n++) {
    const opened = await fetch(`${url}/whep/cam0/session-1/sse`, { method: 'POST' });
    places.push(opened.headers.get('location') ?? '');
  }
  const answers = await Promise.all(places.map((at) => fetch(url + at, { method: 'DELETE' })));
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 200, 200, 200, 200]);
});
