import type { ChildProcess } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { errorCode, hasErrorCode } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import type { MachineName } from './plan.ts';
import type { Report } from './report.ts';
import type { Player } from './stage.ts';

const lookEveryMs = 100;
/** As the unit of the image says. */
const restartAfterMs = 1000;

const entrySchema = z.object({ name: z.string(), pid: z.int().min(2) });

/** A process that must run. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly command: string;
}

/**
 * Takes systemd's place on both machines, and watches what must not end by itself: the supervisor, the media process, the
 * pipelines. An actor that kills one reports it first.
 */
export class ProcessWatch {
  readonly #report: Report;
  readonly #killed = new Set<number>();
  readonly #running = new Map<string, Running>();
  /** When pipelines started: the numbers in their pictures start again. */
  readonly pipelineStarts: { readonly machine: MachineName; readonly atMs: number }[] = [];

  constructor(report: Report) {
    this.#report = report;
  }

  /** Kills at once; false if it has ended by itself. */
  kill(pid: number): boolean {
    this.#killed.add(pid);
    try {
      return process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (errorCode(error) === 'ESRCH') return false;
      throw error;
    }
  }

  /** Until the signal: restarts supervisors, and looks. */
  async run(players: readonly Player[], signal: AbortSignal): Promise<void> {
    await Promise.all(players.flatMap((player) => [this.#keep(player, signal), this.#look(player, signal)]));
  }

  /** Children of a machine that its supervisor has listed, and that live. */
  async children({ machine }: Player): Promise<Running[]> {
    const folder = join(machine.data, 'run', 'children');
    const found: Running[] = [];
    for (const file of await readdir(folder).catch(ifGone<string[]>([]))) {
      if (!file.endsWith('.json')) continue;
      const text = await readFile(join(folder, file), 'utf8').catch(ifGone(''));
      const entry = text === '' ? null : entrySchema.safeParse(JSON.parse(text));
      if (entry?.success !== true) continue;
      const { name, pid } = entry.data;
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(ifGone(''));
      // A zombie has no command line any more.
      if (command !== '') found.push({ name, pid, command });
    }
    return found;
  }

  async #keep({ name, machine }: Player, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const child = machine.supervisor;
      if (child === null) throw new Error(`the ${name} was not started`);
      await Promise.race([ended(child), aborted(signal)]);
      if (signal.aborted) return;
      const how = child.signalCode ?? `code ${child.exitCode}`;
      if (child.pid === undefined || !this.#killed.has(child.pid)) {
        this.#report.count(`supervisor of the ${name}`, 'ended by itself');
        this.#report.fault(
          `the supervisor of the ${name} ended by itself, ${how}: ${lastWords(machine.output)}`,
        );
      } else this.#report.count(`supervisor of the ${name}`, 'restarted after a kill');
      await pause(restartAfterMs, signal);
      if (!signal.aborted) machine.start();
    }
  }

  async #look(player: Player, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const child of await this.children(player)) this.#see(player.name, child);
      await sleep(lookEveryMs);
    }
  }

  #see(machine: MachineName, child: Running): void {
    const isPipeline = child.name.startsWith('capture-');
    if (child.name !== 'media' && !isPipeline) return;
    const key = `${machine} ${child.name}`;
    const before = this.#running.get(key);
    if (before?.pid === child.pid) return;
    this.#running.set(key, child);
    if (isPipeline) this.pipelineStarts.push({ machine, atMs: Date.now() });
    if (before === undefined) return;
    const what = `${child.name} of the ${machine}`;
    if (this.#killed.has(before.pid)) this.#report.count(what, 'restarted after a kill');
    else if (before.command !== child.command) {
      this.#report.count(what, 'restarted with another command');
      this.#report.say(`${what} runs with another command`);
    } else {
      this.#report.count(what, 'restarted by itself');
      this.#report.fault(`${what} was started again, and nobody had killed it`);
    }
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function lastWords(output: string): string {
  const lines = output.trim().split('\n');
  return (lines.findLast((line) => line.includes('"level":60')) ?? lines.at(-1) ?? '').slice(0, 1500);
}

/** A process or its file may be gone by the time it is looked at. */
function ifGone<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (hasErrorCode(error, 'ENOENT', 'ESRCH')) return instead;
    throw error;
  };
}
