/** The servers under test. Each runs alone: opened, measured, ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { pause } from '../../common/pause.ts';
import { MediaClient } from '../control/media-client.ts';
import { mediaCommand } from '../control/media-command.ts';
import { outputFolder, type Tools } from './build-tools.ts';
import { BenchError } from './errors.ts';
import { HttpFront } from './http-front.ts';

const START_MS = 20_000;
const FEED = 'bench';
/** What is measured side by side. */
export const serverNames = ['rushlight', 'rushlight-js', 'pion', 'floor-aes', 'floor', 'sendmmsg'] as const;
/** See {@link serverNames}. */
export type ServerName = (typeof serverNames)[number];

/** How a server is reached, and whose CPU time counts. */
export interface Target {
  readonly whip: string;
  readonly whep: string;
  readonly token?: string;
  readonly pids: readonly number[];
}

/** A running server. */
export interface OpenServer extends AsyncDisposable {
  readonly target: Target;
}

/** `checkout` is the folder whose media process is measured; default is this one. */
export async function openServer(
  name: ServerName,
  tools: Tools,
  checkout = fileURLToPath(new URL('../../', import.meta.url)),
): Promise<OpenServer> {
  switch (name) {
    case 'rushlight':
    case 'rushlight-js': {
      const env: Record<string, string> = name === 'rushlight' ? {} : { RUSHLIGHT_DATAPATH: 'js' };
      await using _ = await openMediaProcess(checkout, env);
      return await openMediaProcess(checkout, env);
    }
    case 'pion':
      return await openProgram(tools.pion, [], (url) => ({
        whip: `${url}/whip/${FEED}`,
        whep: `${url}/whep/${FEED}`,
      }));
    case 'floor-aes':
      return await openProgram(tools.floor, ['gso-aes'], (url) => ({ whip: url, whep: url }));
    case 'floor':
      return await openProgram(tools.floor, ['gso'], (url) => ({ whip: url, whep: url }));
    case 'sendmmsg':
      return await openProgram(tools.floor, ['sendmmsg'], (url) => ({ whip: url, whep: url }));
  }
}

/** A program whose first line is its address. */
async function openProgram(
  command: string,
  args: readonly string[],
  endpoints: (url: string) => { whip: string; whep: string },
): Promise<OpenServer> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(START_MS) })) as [string];
  return {
    target: { ...endpoints(line), pids: [pidOf(child)] },
    [Symbol.asyncDispose]: () => end(child),
  };
}

async function openMediaProcess(checkout: string, env: Record<string, string>): Promise<OpenServer> {
  const logger = pino({ level: 'error' });
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-bench-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const socketPath = join(folder, 'media.sock');
  const command = mediaCommand(socketPath, join(checkout, 'media', 'main.ts'));
  const [program, ...args] = command.argv;
  const child = spawn(program, [...args, '--log-level', 'error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    // As on the image: V8's cache is there from an earlier start.
    env: { ...process.env, ...command.env, NODE_COMPILE_CACHE: join(outputFolder, 'v8'), ...env },
  });
  opening.defer(() => end(child));
  const client = new MediaClient({ socketPath, logger });
  const abort = new AbortController();
  const running = client.run(abort.signal);
  opening.defer(async () => {
    abort.abort();
    await running;
  });
  await once(client.events, 'connected', { signal: AbortSignal.timeout(START_MS) });
  const problems = await client.configure({
    udpPort: 0,
    listenAddresses: ['127.0.0.1'],
    ingests: [],
    pushes: [],
  });
  if (problems !== null && problems.length > 0) throw new BenchError(problems.join(' '));
  const front = opening.use(new HttpFront(client));
  const url = await front.open();
  const resources = opening.move();
  return {
    target: { whip: `${url}/whip/${FEED}`, whep: `${url}/whep/${FEED}`, pids: [pidOf(child)] },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new BenchError('A server under test did not start.');
  return child.pid;
}

/** Asks, then insists. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  child.kill('SIGTERM');
  await pause(3000, ended.signal);
  if (!ended.signal.aborted) child.kill('SIGKILL');
}
