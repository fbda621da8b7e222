import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestHost } from '../../supervisor/testing/netns.ts';
import { killIfThere, processesNaming, root } from './appliance-process.ts';

/** Port of page and API on every machine. */
export const apiPort = 8080;

/** The machine's own avahi knows nothing of the namespace, so programs there must not use it for their announcements. */
const withoutAvahi = '[ ! -d /run/avahi-daemon ] || mount -t tmpfs none /run/avahi-daemon; exec "$@"';

/** An HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** An appliance on a machine of its own: a network namespace and a data folder. It runs as on a board, not in simulation. */
export class Machine implements AsyncDisposable {
  readonly host: TestHost;
  /** For the appliance and everything it starts. */
  readonly #environment: Readonly<Record<string, string>>;
  /** Words before the program, such as those that take rights from it. */
  readonly #launcher: (data: string) => readonly string[];
  data = '';
  #child: ChildProcess | null = null;
  #agent: ChildProcess | null = null;
  #output = '';
  #nextId = 1;
  readonly #waiting = new Map<number, (answer: Answer) => void>();

  constructor(
    host: TestHost,
    environment: Readonly<Record<string, string>> = {},
    launcher: (data: string) => readonly string[] = () => [],
  ) {
    this.host = host;
    this.#environment = environment;
    this.#launcher = launcher;
  }

  /** The supervisor; null before the first start and after the plug was pulled. */
  get supervisor(): ChildProcess | null {
    return this.#child;
  }

  /** Starts with an empty data folder. */
  async boot(settings: string): Promise<this> {
    this.data = await mkdtemp(join(tmpdir(), 'rushlight-machine-'));
    await this.configure(settings);
    this.#agent = this.host.spawn(process.execPath, join(import.meta.dirname, 'fetch-agent.ts'));
    const { stdout } = this.#agent;
    if (stdout === null) throw new Error('no output');
    createInterface({ input: stdout }).on('line', (line) => {
      const { id, ...answer } = JSON.parse(line);
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
    this.start();
    return this;
  }

  start(): void {
    const { data } = this;
    // `ip netns exec` gives a mount namespace of its own as well.
    const more = Object.entries(this.#environment).map((entry) => entry.join('='));
    const environment = [
      ...more,
      `RUSHLIGHT_DATA=${data}`,
      `RUSHLIGHT_CONFIG=${join(data, 'rushlight.toml')}`,
    ];
    const program = [...this.#launcher(data), process.execPath, join(root, 'supervisor', 'main.ts')];
    this.#child = this.host.spawn('sh', '-c', withoutAvahi, 'sh', 'env', ...environment, ...program);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk) => {
        this.#output += String(chunk);
      });
    }
  }

  configure(settings: string): Promise<void> {
    return writeFile(join(this.data, 'rushlight.toml'), settings);
  }

  /** Ends everything at once, as a pulled plug does; what is on disk stays. */
  async pullPlug(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    const running = child.exitCode === null && child.signalCode === null;
    const ended = running ? once(child, 'exit') : null;
    for (const { pid } of await processesNaming(this.data)) killIfThere(pid);
    await ended;
    this.#child = null;
  }

  /** Discards what it knows: as if the board were replaced by a new one. */
  async wipe(): Promise<void> {
    const settings = await readFile(join(this.data, 'rushlight.toml'), 'utf8');
    await rm(this.data, { recursive: true, force: true });
    this.data = await mkdtemp(join(tmpdir(), 'rushlight-machine-'));
    await this.configure(settings);
  }

  /** Asks the API on this machine, as its owner. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { status, text } = await this.askAs(await this.ownerToken(), method, path, body);
    if (status < 200 || status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async ownerToken(): Promise<string> {
    return (await readFile(join(this.data, 'owner-token'), 'utf8')).trim();
  }

  /** Asks the API on this machine with this key; status 0 if no one answers. */
  async askAs(token: string, method: string, path: string, body?: unknown): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const id = this.#nextId++;
    this.#waiting.set(id, resolve);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const url = `http://127.0.0.1:${apiPort}${path}`;
    this.#agent?.stdin?.write(`${JSON.stringify({ id, url, init })}\n`);
    return await promise;
  }

  /** Waits until the condition holds; the error contains the last value and the end of the output. */
  async until<T>(
    what: string,
    look: () => Promise<T | null | undefined | false>,
    timeoutMs = 60_000,
  ): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    let last: unknown;
    while (performance.now() < deadline) {
      try {
        const value = await look();
        if (value !== null && value !== undefined && value !== false) return value;
        last = value;
      } catch (error) {
        last = error; // not there yet; reported below if it never comes
      }
      await sleep(50);
    }
    throw new Error(
      `${what}: not within ${timeoutMs} ms; last ${String(last)}\n${this.#output.slice(-8000)}`,
    );
  }

  /** Everything it printed. */
  get output(): string {
    return this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.data === '') return;
    await this.pullPlug();
    this.#agent?.kill('SIGKILL');
    await rm(this.data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    this.data = '';
  }
}
