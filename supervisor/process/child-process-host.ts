import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Child, ChildExit, ChildHost, ChildSpec, LineListener } from './child.ts';
import { ChildOutput } from './child-output.ts';
import { ChildRegistry, hashSpec, type RegistryEntry } from './child-registry.ts';
import { ChildNameError, ChildNameTakenError, ChildSpawnError } from './errors.ts';
import { HostChild } from './host-child.ts';
import { giveOomScore, type OomScore } from './oom-score.ts';
import { isAlive, readProcStat } from './proc-stat.ts';
import { endGroup, markedProcesses } from './process-group.ts';
import { startProgram } from './spawn-program.ts';

const adoptedPollMs = 250;
const defaultMaxLinesPerSecond = 500;

/** Where and how the host runs programs. */
export interface ChildProcessHostOptions {
  readonly logger: Logger;
  /**
   * Where children are registered and durable ones write their output; ideally a tmpfs that survives a restart of the
   * supervisor.
   */
  readonly folder: string;
  /** Lines per second and child that are passed on; further ones are counted. Default 500. */
  readonly maxLinesPerSecond?: number;
  /**
   * The oom_score_adj for durable children, so that they outlive this process when memory runs out. Default: they inherit this
   * process's.
   */
  readonly oomScore?: OomScore | null;
}

/** Runs programs in process groups of their own, finds those that outlived the last supervisor, and leaves none behind. */
export class ChildProcessHost implements ChildHost, AsyncDisposable {
  readonly #options: ChildProcessHostOptions;
  readonly #registry: ChildRegistry;
  readonly #children = new Map<string, HostChild>();
  readonly #starting = new Set<string>();
  #closed: boolean = false;

  constructor(options: ChildProcessHostOptions) {
    this.#options = options;
    this.#registry = new ChildRegistry(options.folder);
  }

  /** The children that run, by name. */
  get running(): readonly Child[] {
    return [...this.#children.values()];
  }

  /**
   * Starts a child, or takes over the running durable one of the same name and spec. If one runs under the name with another
   * spec, it is ended first.
   * @throws ChildSpawnError, ChildNameTakenError, ChildNameError
   */
  async spawn(spec: ChildSpec, onLine: LineListener = () => {}): Promise<Child> {
    if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(spec.name))
      throw new ChildNameError(`"${spec.name}" names no child`);
    if (this.#starting.has(spec.name)) throw new ChildNameTakenError(`${spec.name} is being started`);
    this.#starting.add(spec.name);
    try {
      await this.#clearName(spec.name);
      const child = await this.#adoptOrStart(spec, onLine);
      if (!this.#closed) return child;
      await child.stop();
      throw new ChildSpawnError(`${spec.name} came too late: everything is being ended`);
    } finally {
      this.#starting.delete(spec.name);
    }
  }

  /**
   * Ends what earlier supervisors left running and is no longer needed: registered children whose name is not among
   * `keepNames`, children that are not durable, and stray processes that carry our mark. Returns the names of what was ended. A
   * process that the kernel holds, as in a read from a dead disk, is named in the log, and left.
   */
  async reapOrphans(keepNames: Iterable<string>): Promise<readonly string[]> {
    this.#registry.prepare();
    const keep = new Set([...keepNames, ...this.#children.keys(), ...this.#starting]);
    const living = this.#registry.living();
    const unwanted = living.filter((entry) => !keep.has(entry.name) || !(entry.durable || this.#owns(entry)));
    const reaped = await Promise.all(unwanted.map((entry) => this.#reap(entry)));
    const ended = unwanted.filter((_, index) => reaped[index] === true);
    const kept = new Set(living.filter((entry) => !ended.includes(entry)).map(({ name }) => name));
    const strays = await this.#endStrays((name) => kept.has(name) || this.#knows(name));
    for (const name of this.#registry.names())
      if (!kept.has(name) && !this.#knows(name)) this.#registry.forget(name);
    const names = [...ended.map(({ name }) => name), ...strays];
    if (names.length > 0)
      this.#options.logger.info({ ended: names }, 'ended what an earlier run left behind');
    return names;
  }

  /** Ends every child, durable or not, and starts no more. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#children.values()].map((child) => child.stop()));
    await this.#endStrays((name) => this.#knows(name));
  }

  #knows(name: string): boolean {
    return this.#children.has(name) || this.#starting.has(name);
  }

  #owns(entry: RegistryEntry): boolean {
    return this.#children.get(entry.name)?.pid === entry.pid;
  }

  /** Recognises our children among all processes; without a name: the beginning of the mark. */
  #mark(name = ''): string {
    return `${createHash('sha256').update(this.#options.folder).digest('hex').slice(0, 16)}:${name}`;
  }

  /** A child whose leader has ended may still be ending; a living one keeps its name. */
  async #clearName(name: string): Promise<void> {
    const child = this.#children.get(name);
    if (child === undefined) return;
    if (!child.ended && !child.ending) throw new ChildNameTakenError(`${name} is running already`);
    await child.cleared;
  }

  async #adoptOrStart(spec: ChildSpec, onLine: LineListener): Promise<Child> {
    this.#registry.prepare();
    const entry = this.#registry.load(spec.name);
    if (entry !== undefined && isAlive(entry.pid, entry.startTicks)) {
      if (spec.durable === true && entry.durable && entry.specHash === hashSpec(spec)) {
        return this.#adopt(spec, entry, onLine);
      }
      await this.#endRegistered(entry);
    } else if (entry !== undefined) {
      // The leader ended while no supervisor watched; its children may live on in its group.
      await this.#endStrays((name) => name !== spec.name);
    }
    return this.#start(spec, onLine);
  }

  async #start(spec: ChildSpec, onLine: LineListener): Promise<Child> {
    using cleanup = new DisposableStack();
    const output = cleanup.use(this.#output(onLine));
    this.#registry.forget(spec.name);
    const files = spec.durable === true ? this.#registry.outputFiles(spec.name) : undefined;
    if (files !== undefined) output.followFiles(files, 0);
    const program = await startProgram(spec, this.#mark(spec.name), files);
    if (files === undefined) output.readPipes(program.process);
    const { oomScore = null } = this.#options;
    if (spec.durable === true && oomScore !== null) giveOomScore(program.pid, oomScore);
    this.#register(spec, program.pid);
    cleanup.move();
    this.#options.logger.debug({ child: spec.name, pid: program.pid }, 'started');
    return this.#hold(spec, program.pid, false, endOf(program.exited, output));
  }

  #adopt(spec: ChildSpec, entry: RegistryEntry, onLine: LineListener): HostChild {
    const output = this.#output(onLine);
    output.followFiles(this.#registry.outputFiles(spec.name), 'end');
    this.#options.logger.info({ child: spec.name, pid: entry.pid }, 'took over a running child');
    return this.#hold(spec, entry.pid, true, endOf(awaitDisappearance(entry), output));
  }

  #hold(spec: ChildSpec, pid: number, adopted: boolean, exited: Promise<ChildExit>): HostChild {
    const child = new HostChild({
      spec,
      pid,
      adopted,
      exited,
      logger: this.#options.logger,
      onCleared: () => {
        if (this.#children.get(spec.name) === child) this.#children.delete(spec.name);
        this.#registry.remove(spec.name, pid);
      },
    });
    this.#children.set(spec.name, child);
    return child;
  }

  #register(spec: ChildSpec, pid: number): void {
    const startTicks = readProcStat(pid)?.startTicks;
    if (startTicks === undefined) return;
    try {
      this.#registry.save(entryOf(spec, pid, startTicks));
    } catch (error) {
      // A full disk must not end a live picture. An unregistered child still carries our mark.
      this.#options.logger.warn(
        { err: error, child: spec.name },
        'cannot register a child; it cannot be taken over',
      );
    }
  }

  async #endRegistered(entry: RegistryEntry): Promise<void> {
    this.#options.logger.info({ child: entry.name, pid: entry.pid }, 'ending a child of an earlier run');
    const gone = await endGroup(entry.pid, entry.stopSignal, entry.stopTimeoutMs);
    if (!gone) throw new ChildSpawnError(`${entry.name} (${entry.pid}) of an earlier run does not end`);
    this.#registry.remove(entry.name, entry.pid);
  }

  /** Ends a child of an earlier run; false if it cannot be ended. */
  async #reap(entry: RegistryEntry): Promise<boolean> {
    try {
      await this.#endRegistered(entry);
      return true;
    } catch (error) {
      this.#options.logger.error(
        { err: error, child: entry.name, pid: entry.pid },
        'a child cannot be ended',
      );
      return false;
    }
  }

  /** Ends every process that carries our mark, except those that belong to a spared name. Returns the names. */
  async #endStrays(spared: (name: string) => boolean): Promise<string[]> {
    const groups = new Map<number, string>();
    for (const stray of markedProcesses(this.#mark())) {
      const name = stray.mark.slice(this.#mark().length);
      const groupId = readProcStat(stray.pid)?.groupId;
      if (groupId !== undefined && !spared(name)) groups.set(groupId, name);
    }
    await Promise.all([...groups.keys()].map((groupId) => endGroup(groupId, 'SIGTERM', 2000)));
    return [...groups.values()];
  }

  #output(onLine: LineListener): ChildOutput {
    const { maxLinesPerSecond = defaultMaxLinesPerSecond, logger } = this.#options;
    return new ChildOutput(onLine, maxLinesPerSecond, logger);
  }
}

function entryOf(spec: ChildSpec, pid: number, startTicks: number): Omit<RegistryEntry, 'bootId'> {
  return {
    name: spec.name,
    pid,
    startTicks,
    specHash: hashSpec(spec),
    durable: spec.durable ?? false,
    stopSignal: spec.stopSignal ?? 'SIGTERM',
    stopTimeoutMs: spec.stopTimeoutMs ?? 5000,
  };
}

async function endOf(exited: Promise<ChildExit>, output: ChildOutput): Promise<ChildExit> {
  const exit = await exited;
  output[Symbol.dispose]();
  return exit;
}

/** An adopted child is not a child of this process, so its end is found by looking, without a fork. */
function awaitDisappearance(entry: RegistryEntry): Promise<ChildExit> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (isAlive(entry.pid, entry.startTicks)) return;
      clearInterval(timer);
      resolve({ code: null, signal: null });
    }, adoptedPollMs);
  });
}
