import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Koa from 'koa';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { staticPages } from '../../supervisor/api/static-pages.ts';
import { openBrowser } from '../testing/browser.ts';
import { buildSite } from './build.ts';
import { findPages } from './pages.ts';

// The manual as an appliance serves it, in a browser.

let folder = '';
let server: Server;
let url = '';
let browser: BrowserContext & AsyncDisposable;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-manual-'));
  await buildSite({ out: join(folder, 'docs'), port: null });
  const app = new Koa();
  app.use(staticPages(folder));
  server = createServer(app.callback()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/docs/`;
  browser = await openBrowser();
  page = await browser.newPage();
  page.on('console', (message) => {
    if (message.type() !== 'log') complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
});

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  server?.close();
  await rm(folder, { recursive: true });
});

test('every page fits a phone, loads everything it names and violates no policy', async () => {
  await page.setViewportSize({ width: 320, height: 640 });
  const tooWide: string[] = [];
  for (const { target } of findPages()) {
    await page.goto(url + target, { waitUntil: 'load' });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > 320) tooWide.push(`${target}: ${width}`);
    expect(await page.locator('h1').first().isVisible(), target).toBe(true);
  }
  expect(tooWide).toEqual([]);
  expect(complaints).toEqual([]);
});

test('the menu leads from page to page on a phone', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${url}use/recording.html`);
  const link = page.getByRole('link', { name: 'Troubleshooting' });
  expect(await link.isVisible()).toBe(false);
  await page.getByText('All pages').click();
  await page.locator('summary', { hasText: 'Operate' }).click();
  await link.click();
  await page.waitForURL(`${url}operate/troubleshooting.html`);
});

test('the search finds a section by keyboard alone and leads there', async () => {
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${url}index.html`);
  await page.keyboard.press('/');
  await page.keyboard.type('take does not start');
  await page.locator('.results a').first().waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL(/troubleshooting\.html#a-take-does-not-start$/);
  await page.keyboard.press('/');
  await page.keyboard.type('xyzzyplugh');
  await page.getByText('Nothing found.').waitFor();
  await page.keyboard.press('Escape');
  expect(await page.locator('.results').isVisible()).toBe(false);
  expect(complaints).toEqual([]);
});

test('the search says so as soon as it has the focus and cannot be loaded', async () => {
  const other = await browser.newPage();
  await other.route('**/search.json', (route) => route.fulfill({ status: 500 }));
  await other.goto(`${url}index.html`);
  await other.keyboard.press('/');
  await other.getByText('The search could not be loaded: HTTP 500').waitFor({ timeout: 5_000 });
  await other.unroute('**/search.json');
  await other.keyboard.type('take does not start');
  await other.locator('.results a').first().waitFor({ timeout: 5_000 });
  await other.close();
});
