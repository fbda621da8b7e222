import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** How the appliance starts. */
export interface ApplianceOptions {
  /** Text of rushlight.toml; without it the simulation's own. */
  readonly config?: string;
  /** Program and arguments; default `npm start`. */
  readonly command?: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

/** A running appliance with a data folder of its own. */
export interface ApplianceProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly data: string;
  readonly configFile: string;
  readonly process: ChildProcess;
  /** Everything it printed. */
  output(): string;
  /** Fetches JSON of the API. */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  /** Waits until the condition holds; the error contains the last value and the end of the output. */
  until<T>(what: string, look: () => Promise<T | null | undefined | false>, timeoutMs?: number): Promise<T>;
  /** Ends it like Ctrl-C: every process of the terminal gets the signal. Waits, and kills what does not end. */
  stop(): Promise<ProcessEnd>;
}

/** How a program ended: by code, or by signal. npm passes the signal of Ctrl-C on to itself, whatever its script did. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It did not end by itself in time. */
  readonly killed: boolean;
}

/** Starts an appliance with a new data folder. Does not wait until it is ready. */
export async function startAppliance(options: ApplianceOptions = {}): Promise<ApplianceProcess> {
  const data = await mkdtemp(join(tmpdir(), 'rushlight-'));
  const port = await freePort();
  const configFile = join(data, 'rushlight.toml');
  await mkdir(data, { recursive: true });
  if (options.config !== undefined) await writeFile(configFile, options.config);
  const [program, ...args] = options.command ?? ['npm', 'start', '--silent'];
  const child = spawn(program, args, {
    cwd: root,
    env: {
      ...process.env,
      RUSHLIGHT_DATA: data,
      RUSHLIGHT_CONFIG: configFile,
      RUSHLIGHT_PORT: String(port),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  const exited = once(child, 'exit');
  const url = `http://localhost:${port}`;
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  };
  const stop = async (): Promise<ProcessEnd> => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
      process.kill(-child.pid, 'SIGINT');
    const ended = await Promise.race([exited.then(() => true), sleep(30_000, false, { ref: false })]);
    if (!ended && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await exited;
    // npm may end before the rest of its group, which then still writes and closes.
    if (ended && child.pid !== undefined) await groupEnded(child.pid, 15_000);
    return { code: child.exitCode, signal: child.signalCode, killed: !ended };
  };
  return {
    url,
    port,
    data,
    configFile,
    process: child,
    output: () => output,
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body ?? {}),
    until: async (what, look, timeoutMs = 30_000) => {
      const deadline = Date.now() + timeoutMs;
      let last: unknown;
      while (Date.now() < deadline) {
        try {
          const value = await look();
          if (value !== null && value !== undefined && value !== false) return value;
          last = value;
        } catch (error) {
          last = error; // not there yet; reported below if it never comes
        }
        await sleep(100);
      }
      throw new Error(`${what}: not within ${timeoutMs} ms; last ${String(last)}\n${output.slice(-6000)}`);
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      const left = await processesNaming(data);
      for (const { pid } of left) killIfThere(pid);
      await rm(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** Processes whose command line or environment names the folder: what an appliance has left behind. */
export async function processesNaming(folder: string): Promise<{ pid: number; command: string }[]> {
  const found: { pid: number; command: string }[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      const [command, environment] = await Promise.all([
        readFile(`/proc/${name}/cmdline`, 'utf8'),
        readFile(`/proc/${name}/environ`, 'utf8'),
      ]);
      if (command.includes(folder) || environment.includes(folder)) {
        found.push({ pid: Number(name), command: command.replaceAll('\0', ' ').trim() });
      }
    } catch {
      // Ended while we looked.
    }
  }
  return found;
}

/** Resolves once no process of the group is left, or the time is over. */
async function groupEnded(groupId: number, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (isThere(-groupId) && performance.now() < deadline) await sleep(50);
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // ESRCH: nobody there
  }
}

/** SIGKILL; a process that has ended is no error. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended between the look and the signal.
  }
}

/** A TCP port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const closed = once(server, 'close');
  server.close();
  await closed;
  return address.port;
}

/** A UDP port of loopback that nobody has bound. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  return port;
}
