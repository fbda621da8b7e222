import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CodeBlock, codeBlocks } from './docs/code-blocks.ts';
import { findPages } from './docs/pages.ts';
import { freePort, killIfThere, processesNaming, root } from './testing/appliance-process.ts';

// Runs the commands of the documentation unchanged, in a copy of what a clone has. Only the port is another one, as
// many tests run at once. What a clone would build or download is taken from this one.

const run = promisify(execFile);
const documented = 'localhost:8080';
const pages = ['README.md', ...findPages().map(({ source }) => source)]
  .map((source) => ({
    source,
    blocks: codeBlocks(readFileSync(join(root, source), 'utf8')).filter(({ task }) => task !== null),
  }))
  .filter(({ blocks }) => blocks.length > 0);
const built = ['supervisor/web/dist', 'media/datapath/native/build'];

let clone = '';
let port = 0;
let server: ChildProcess | null = null;
let output = '';

beforeAll(async () => {
  // On the same disk, so that the packages need not be copied.
  await mkdir(join(root, 'build'), { recursive: true });
  clone = await mkdtemp(join(root, 'build', 'clone-'));
  const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    maxBuffer: 1e8,
  });
  for (const file of stdout.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))) {
    await cp(join(root, file), join(clone, file));
  }
  for (const path of built.filter((name) => existsSync(join(root, name)))) {
    await cp(join(root, path), join(clone, path), { recursive: true });
  }
  // By hard links: what the clone does to its packages leaves ours alone.
  await run('cp', ['-al', join(root, 'node_modules'), join(clone, 'node_modules')]);
  await rm(join(clone, 'node_modules/.cache'), { recursive: true, force: true });
  // Installed on the image and by the package; in a clone it is a file of the sources.
  const command = `#!/bin/sh\nexec node ${clone}/supervisor/cli/rushlight.ts "$@"\n`;
  await mkdir(join(clone, 'bin'));
  await writeFile(join(clone, 'bin/rushlight'), command, { mode: 0o755 });
  await ensureNpx(join(clone, 'bin/npx'));
  port = await freePort();
});

afterAll(async () => {
  await stopServer();
  for (const { pid } of await processesNaming(clone)) killIfThere(pid);
  await rm(clone, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

/** Debian 13's test root has Node.js without npm: there, a script runs programs of the packages as `npx --no` does. */
async function ensureNpx(file: string): Promise<void> {
  try {
    await run('npx', ['--version']);
  } catch {
    const script = '#!/bin/sh\n[ "$1" = --no ] || exit 1\nshift\nexec "$@"\n';
    await writeFile(file, script, { mode: 0o755 });
  }
}

const environment = () => ({
  ...process.env,
  PATH: `${clone}/bin:${clone}/node_modules/.bin:${process.env.PATH}`,
  RUSHLIGHT_PORT: String(port),
  RUSHLIGHT_DATA: join(clone, 'data'),
  RUSHLIGHT_URL: `http://localhost:${port}`,
});

/** Runs the commands of a block and returns their output; rejects if one of them fails. */
async function shell(text: string): Promise<string> {
  const { stdout } = await run(
    'bash',
    ['-euo', 'pipefail', '-c', text.replaceAll(documented, `localhost:${port}`)],
    {
      cwd: clone,
      env: environment(),
      timeout: 120_000,
      maxBuffer: 1e8,
    },
  );
  return stdout;
}

/** The simulation that a page starts; `npm start` where the page starts none. */
async function startServer(words: string): Promise<void> {
  server = spawn('bash', ['-c', `exec ${words}`], {
    cwd: clone,
    env: environment(),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [server.stdout, server.stderr]) {
    stream?.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  for (let tries = 0; tries < 600; tries += 1) {
    try {
      const feeds = (await (await fetch(`http://localhost:${port}/api/feeds`)).json()) as { state: string }[];
      if (feeds.some(({ state }) => state === 'online')) return;
    } catch {
      // Not there yet; the error below contains its output.
    }
    if (server.exitCode !== null) break;
    await sleep(200);
  }
  throw new Error(`${words} did not come up\n${output.slice(-4000)}`);
}

async function stopServer(): Promise<void> {
  if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  process.kill(-server.pid, 'SIGINT');
  const inTime = await Promise.race([ended.then(() => true), sleep(30_000, false, { ref: false })]);
  if (!inTime) process.kill(-server.pid, 'SIGKILL');
  await ended;
  server = null;
}

async function runBlock({ language, task, text }: CodeBlock): Promise<void> {
  if (task === 'server') {
    if (server === null) await startServer(text);
    return;
  }
  if (server === null) await startServer('npm start');
  if (language === 'toml') await appendFile(join(clone, String(task).slice('test='.length)), `\n${text}\n`);
  else await shell(text);
}

describe.each(pages)('$source', ({ source, blocks }) => {
  test.each(blocks)('line $line', async (block) => {
    await runBlock(block);
  });

  if (source === 'docs/get-started/laptop.md') {
    test('leaves what it promises: a picture, a take and a second feed; the manual is there, too', async () => {
      expect(await shell(`curl --silent --fail http://${documented}/docs/`)).toContain('Rushlight manual');
      expect(readFileSync(join(clone, 'picture.jpg')).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
      const takes = JSON.parse(await shell(`curl --silent --fail http://${documented}/api/takes`));
      expect(takes).toHaveLength(1);
      expect(takes[0].stoppedAt).not.toBeNull();
      // What other pages do with the take, they do once it is finished.
      await expect
        .poll(() => shell(`curl --silent --fail http://${documented}/api/takes`), { timeout: 90_000 })
        .toContain('"state":"verified"');
      await expect
        .poll(() => shell(`curl --silent --fail http://${documented}/api/feeds/cam1 || true`), {
          timeout: 60_000,
        })
        .toContain('"state":"online"');
    });
  }
});

test('a failing command fails its test', async () => {
  await expect(shell('false | true')).rejects.toThrow();
});
