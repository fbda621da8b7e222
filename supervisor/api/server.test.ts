import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RouteDefinition, routes, statusSchema } from '../contract/index.ts';
import { apiPortsFake } from './api-ports.fake.ts';
import {
  makeApiServer,
  makePages,
  openApiServer,
  problemIn,
  type RunningApiServer,
} from './api-server.fake.ts';

const ports = apiPortsFake();
let server: RunningApiServer;
let folder: Awaited<ReturnType<typeof makePages>>;
let pages = '';
let open = '';

beforeAll(async () => {
  folder = await makePages('<!doctype html><title>Rushlight</title>');
  pages = folder.path;
  server = await openApiServer({ ports, pages });
  open = server.url;
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
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

  test('changes the settings only if they are those that were read, if the caller asks for that', async () => {
    const patch = (headers: Record<string, string>) =>
      fetch(`${open}/api/config`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{}',
      });
    const tag = (await fetch(`${open}/api/config`)).headers.get('etag') ?? '';
    expect(tag).toMatch(/^"[^"]+"$/);
    const first = await patch({ 'if-match': tag });
    expect([first.status, first.headers.get('etag') === tag]).toEqual([200, false]);
    const late = await patch({ 'if-match': tag });
    expect([late.status, await late.json()]).toEqual([
      412,
      expect.objectContaining({ code: 'CONFIG_CHANGED', hint: expect.stringContaining('Read them again') }),
    ]);
    for (const headers of [{}, { 'if-match': '*' }]) expect((await patch({ ...headers })).status).toBe(200);
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
    expect((await problemIn(none)).status).toBe(416);
    const link = join(pages, 'link.mkv');
    await symlink(file, link);
    for (const strange of [link, pages, join(pages, 'gone.mkv')]) {
      ports.masterPath = strange;
      expect((await problemIn(await fetch(`${open}/api/takes/t1/masters/cam0`))).status).toBe(404);
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
      expect((await problemIn(await fetch(open + path))).status).toBe(404);
    }
  });
});

test('explains a taken port', async () => {
  const port = Number(new URL(open).port);
  const server = makeApiServer({ port });
  await expect(server.run(AbortSignal.timeout(5000))).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    hint: expect.stringContaining('RUSHLIGHT_PORT'),
  });
});
