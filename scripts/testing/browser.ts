import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

/**
 * Debian's Chromium, headless, with a profile of its own; `[Symbol.asyncDispose]` ends it and removes the profile. With a `namespace` it runs
 * in that network namespace.
 */
export async function openBrowser(
  extraArgs: readonly string[] = [],
  namespace?: string,
): Promise<BrowserContext & AsyncDisposable> {
  const profile = await mkdtemp(join(tmpdir(), 'rushlight-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: namespace === undefined ? '/usr/bin/chromium' : await startedIn(namespace, profile),
    headless: true,
    args: [...quiet, ...extraArgs],
    viewport: { width: 1440, height: 900 },
  });
  return Object.assign(context, {
    [Symbol.asyncDispose]: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  });
}

/** A program that starts Chromium in a network namespace. */
async function startedIn(namespace: string, folder: string): Promise<string> {
  const program = join(folder, 'chromium-there');
  await writeFile(program, `#!/bin/sh\nexec ip netns exec ${namespace} /usr/bin/chromium "$@"\n`, {
    mode: 0o755,
  });
  return program;
}
