import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child, ChildExit, ChildHost, ChildLine, ChildSpec } from './child-host.ts';
import { errorCode } from './errors.ts';

type OnLine = (line: ChildLine) => void;

/** Runs programs for real, each in a process group of its own. */
export class SpawningChildHost implements ChildHost, AsyncDisposable {
  /** Processes by name; shared with the host that follows after a crash. */
  readonly running: Map<string, SpawnedProcess>;
  #crashed = false;

  constructor(running = new Map<string, SpawnedProcess>()) {
    this.running = running;
  }

  async spawn(spec: ChildSpec, onLine: OnLine = () => {}): Promise<Child> {
    if (this.#crashed) return new Promise(() => {});
    const found = this.running.get(spec.name);
    if (found?.owner === this) throw new Error(`${spec.name} runs already`);
    if (found !== undefined && JSON.stringify(found.spec) === JSON.stringify(spec)) {
      return this.#hold(found, onLine, true);
    }
    await found?.stop();
    const process = await SpawnedProcess.start(spec, onLine);
    this.running.set(spec.name, process);
    void process.exited.then(() => {
      if (this.running.get(spec.name) === process) this.running.delete(spec.name);
    });
    return this.#hold(process, onLine, false);
  }

  /** What SIGKILL of the supervisor does: users of this host get nothing from it any more. Returns its successor. */
  crash(): SpawningChildHost {
    this.#crashed = true;
    for (const process of this.running.values()) process.onLine = () => {};
    return new SpawningChildHost(this.running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.running.values()].map((process) => process.stop()));
  }

  #hold(process: SpawnedProcess, onLine: OnLine, adopted: boolean): Child {
    process.owner = this;
    process.onLine = onLine;
    const unlessCrashed = (exit: ChildExit): Promise<ChildExit> | ChildExit =>
      this.#crashed ? new Promise(() => {}) : exit;
    const stop = () => (this.#crashed ? new Promise<never>(() => {}) : process.stop().then(unlessCrashed));
    const exited = process.exited.then(unlessCrashed);
    const { spec, pid } = process;
    return {
      name: spec.name,
      pid,
      adopted,
      exited,
      stop,
      [Symbol.asyncDispose]: () => stop().then(() => {}),
    };
  }
}

/** A running process group. */
export class SpawnedProcess {
  readonly spec: ChildSpec;
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  owner: SpawningChildHost | undefined;
  onLine: OnLine;

  constructor(spec: ChildSpec, pid: number, exited: Promise<ChildExit>, onLine: OnLine) {
    this.spec = spec;
    this.pid = pid;
    this.exited = exited;
    this.onLine = onLine;
  }

  static async start(spec: ChildSpec, onLine: OnLine): Promise<SpawnedProcess> {
    const [program, ...args] = spec.argv;
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...spec.env },
    });
    const exited = new Promise<ChildExit>((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => {
        reject(
          Object.assign(new Error(`cannot start ${program}`, { cause }), { code: 'CHILD_SPAWN_FAILED' }),
        );
      });
    });
    const started = new SpawnedProcess(spec, child.pid ?? 0, exited, onLine);
    for (const stream of ['stdout', 'stderr'] as const) {
      createInterface({ input: child[stream] }).on('line', (text) => started.onLine({ stream, text }));
    }
    return started;
  }

  /** Sends a signal to the whole group. */
  signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if (errorCode(error) !== 'ESRCH') throw error;
    }
  }

  async stop(): Promise<ChildExit> {
    this.signal(this.spec.stopSignal ?? 'SIGTERM');
    const late = sleep(this.spec.stopTimeoutMs ?? 5000, undefined, { ref: false }).then(() => {
      this.signal('SIGKILL');
      return this.exited;
    });
    return Promise.race([this.exited, late]);
  }
}
