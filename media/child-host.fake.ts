import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child, ChildExit, ChildHost, ChildLine, ChildSpec } from './child-host.ts';

/** Runs programs for real, each in a process group of its own; takes durable ones over within one test process. */
export class SpawningChildHost implements ChildHost, AsyncDisposable {
  readonly running = new Map<string, SpawnedChild>();
  private readonly abandoned = new Map<string, SpawnedChild>();

  async spawn(spec: ChildSpec, onLine: (line: ChildLine) => void = () => {}): Promise<Child> {
    if (this.running.has(spec.name)) throw new Error(`${spec.name} runs already`);
    const left = this.abandoned.get(spec.name);
    this.abandoned.delete(spec.name);
    if (left !== undefined && JSON.stringify(left.spec) === JSON.stringify(spec)) {
      return this.hold(left.takeOver(onLine));
    }
    await left?.stop();
    return this.hold(await SpawnedChild.start(spec, onLine));
  }

  /** What a crash of the supervisor does: durable children go on, and nobody listens to them any more. */
  abandonAll(): void {
    for (const [name, child] of this.running) {
      child.muted = true;
      this.abandoned.set(name, child);
    }
    this.running.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.running.values(), ...this.abandoned.values()].map((child) => child.stop()));
  }

  private hold(child: SpawnedChild): Child {
    this.running.set(child.name, child);
    void child.exited.then(() => {
      if (this.running.get(child.name) === child) this.running.delete(child.name);
      if (this.abandoned.get(child.name) === child) this.abandoned.delete(child.name);
    });
    return child;
  }
}

export class SpawnedChild implements Child {
  readonly name: string;
  readonly spec: ChildSpec;
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  adopted = false;
  muted = false;
  onLine: (line: ChildLine) => void;

  private constructor(
    spec: ChildSpec,
    pid: number,
    exited: Promise<ChildExit>,
    onLine: (line: ChildLine) => void,
  ) {
    this.name = spec.name;
    this.spec = spec;
    this.pid = pid;
    this.exited = exited;
    this.onLine = onLine;
  }

  static async start(spec: ChildSpec, onLine: (line: ChildLine) => void): Promise<SpawnedChild> {
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
    const held = new SpawnedChild(spec, child.pid ?? 0, exited, onLine);
    for (const stream of ['stdout', 'stderr'] as const) {
      createInterface({ input: child[stream] }).on('line', (text) => {
        if (!held.muted) held.onLine({ stream, text });
      });
    }
    return held;
  }

  takeOver(onLine: (line: ChildLine) => void): SpawnedChild {
    this.onLine = onLine;
    this.muted = false;
    this.adopted = true;
    return this;
  }

  /** Sends a signal to the whole group. */
  signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  async stop(): Promise<ChildExit> {
    this.signal(this.spec.stopSignal ?? 'SIGTERM');
    const timeout = sleep(this.spec.stopTimeoutMs ?? 5000, undefined, { ref: false }).then(() =>
      this.signal('SIGKILL'),
    );
    return Promise.race([this.exited, timeout.then(() => this.exited)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
