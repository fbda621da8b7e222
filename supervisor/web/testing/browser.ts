import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { build } from 'vite';

/** Where the tests put pictures of the pages, for the eye of whoever changes the looks. */
export const picture = (name: string): string => join(tmpdir(), 'rushlight-web-pictures', `${name}.png`);

/** A folder with the pages as they ship, built from the source of now. */
export const buildPages = async (): Promise<{ folder: string } & AsyncDisposable> => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-web-'));
  await build({
    configFile: join(import.meta.dirname, '..', 'vite.config.ts'),
    build: { outDir: folder, emptyOutDir: true },
    logLevel: 'warn',
  });
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
};

/**
 * Debian's Chromium with H.264. Loopback candidates and host names in the clear are what lets two pages of one browser
 * speak to each other without a network.
 */
export const launchBrowser = (): Promise<Browser> =>
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
