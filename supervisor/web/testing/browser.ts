import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll } from 'vitest';

/** Where the tests put pictures of the pages, for people who change the looks. */
export const picture = (name: string): string => join(tmpdir(), 'rushlight-web-pictures', `${name}.png`);

/**
 * For the tests of the file that calls it: a folder with the pages as they ship, built from the present sources, and a browser.
 */
export const usePages = (): { readonly folder: string; readonly browser: Browser } => {
  let folder: string | undefined;
  let browser: Browser | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rushlight-web-'));
    await build({
      configFile: join(import.meta.dirname, '..', 'vite.config.ts'),
      build: { outDir: folder, emptyOutDir: true },
      logLevel: 'warn',
    });
    browser = await launchBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });
  const built = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('the pages are there from the first test on');
    return value;
  };
  return {
    get folder() {
      return built(folder);
    },
    get browser() {
      return built(browser);
    },
  };
};

/**
 * Debian's Chromium with H.264. Loopback candidates and plain host names let two pages of one browser connect without a
 * network.
 */
const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--allow-loopback-in-peer-connection',
      '--disable-features=WebRtcHideLocalIpsWithMdns',
    ],
    timeout: 60_000,
  });
