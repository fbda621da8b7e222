import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Koa from 'koa';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownPaths, pagePaths } from './gateway/own-paths.ts';
import { problems } from './middleware/problems.ts';
import { staticPages } from './static-pages.ts';

let folder = '';
let bare = '';
const servers: Server[] = [];

/** What serves the pages of a folder. */
async function serve(pages: string): Promise<string> {
  const app = new Koa();
  app.use(problems(pino({ level: 'silent' })));
  app.use(staticPages(pages));
  const server = createServer(app.callback());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let url = '';
let withoutManual = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-pages-'));
  bare = await mkdtemp(join(tmpdir(), 'rushlight-pages-'));
  await mkdir(join(folder, 'docs/setups'), { recursive: true });
  for (const path of [
    'index.html',
    'docs/index.html',
    'docs/setups/index.html',
    'docs/setups/compose.yaml',
  ]) {
    await writeFile(join(folder, path), path);
  }
  await writeFile(join(bare, 'index.html'), 'index.html');
  url = await serve(folder);
  withoutManual = await serve(bare);
});

afterAll(async () => {
  for (const server of servers) server.close();
  await Promise.all([folder, bare].map((path) => rm(path, { recursive: true })));
});

describe('the manual at /docs/', () => {
  test('serves the index of its folders, redirects /docs, and its policy allows nothing inline', async () => {
    for (const path of ['/docs/', '/docs/index.html', '/docs']) {
      const answer = await fetch(url + path);
      expect(await answer.text(), path).toBe('docs/index.html');
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain('unsafe-inline');
    }
    expect(await (await fetch(`${url}/docs/setups/`)).text()).toBe('docs/setups/index.html');
    const file = await fetch(`${url}/docs/setups/compose.yaml`);
    expect(file.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });

  test('serves nothing outside it, and lists no folder without an index', async () => {
    for (const path of ['/docs/none/', '/docs/..%2f..%2fetc/', '/docs/%00/', '/docs/setups']) {
      expect((await fetch(url + path)).status, path).toBe(404);
    }
  });

  test('explains how to build it if it is missing', async () => {
    const answer = await fetch(`${withoutManual}/docs/`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({
      code: 'ROUTE_UNKNOWN',
      hint: expect.stringContaining('npm run docs'),
    });
    expect((await fetch(`${withoutManual}/`)).status).toBe(200);
  });

  test('shows a page about a wrong path to browsers, and a problem document to scripts', async () => {
    const path = '/docs/use/%3Cscript%3Ex.html';
    const browser = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
    const answer = await fetch(url + path, { headers: browser });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(answer.headers.get('vary')).toContain('Accept');
    const text = await answer.text();
    expect(text).toContain('There is nothing at');
    expect(text).toContain('<a href="/docs/">');
    expect(text.toLowerCase()).not.toContain('<script>');
    for (const headers of [{}, { Accept: 'application/json' }]) {
      const told = await fetch(url + path, { headers: { ...headers } });
      expect([told.status, (await told.text()).startsWith('<')]).toEqual([404, false]);
    }
    const nowhere = await fetch(`${url}/setup/x.html`, { headers: browser });
    expect((await nowhere.text()).startsWith('<')).toBe(false);
    const missing = await fetch(`${withoutManual}/docs/use/`, { headers: browser });
    expect([missing.status, await missing.text()]).toEqual([404, expect.stringContaining('npm run docs')]);
    expect((await fetch(`${url}/docs/`, { headers: browser })).status).toBe(200);
  });

  test('in front of a backend, its folders are ours and /docs stays the backend’s', async () => {
    const isOurs = ownPaths(await pagePaths(folder));
    const ours = ['/', '/docs/', '/docs/index.html', '/docs/setups/', '/docs/setups/compose.yaml'];
    expect(ours.filter((path) => !isOurs(path))).toEqual([]);
    expect(['/docs', '/docs/oauth2-redirect', '/setups/'].filter(isOurs)).toEqual([]);
    expect(ownPaths(await pagePaths(bare))('/docs/')).toBe(false);
  });
});
