import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { type ChildExit, type ChildSpec, childEnvironment } from './child.ts';
import { ChildSpawnError } from './errors.ts';

/** How long the output of an ended child is awaited; a grandchild may hold the pipe open forever. */
const drainTimeoutMs = 250;

/** A program that runs. */
export interface StartedProgram {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Settles when the leader has ended and its output was read. */
  readonly exited: Promise<ChildExit>;
}

/** Files that take a durable child's output. */
export interface OutputFiles {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts a program in a session (and so a process group) of its own. Its output goes to pipes, or to the files if these are
 * given.
 * @throws ChildSpawnError if it cannot be started.
 */
export async function startProgram(
  spec: ChildSpec,
  mark: string,
  files?: OutputFiles,
): Promise<StartedProgram> {
  const [program, ...args] = spec.argv;
  const outputs = files === undefined ? ['pipe' as const, 'pipe' as const] : openOutputs(files);
  try {
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', ...outputs],
      env: childEnvironment(spec, mark, process.env),
    });
    const exited = awaitEnd(child);
    await awaitStart(child);
    if (child.pid === undefined) throw new Error('no process id');
    return { pid: child.pid, process: child, exited };
  } catch (error) {
    throw new ChildSpawnError(`cannot start ${program}`, { cause: error });
  } finally {
    for (const output of outputs) if (typeof output === 'number') closeSync(output);
  }
}

function openOutputs(files: OutputFiles): number[] {
  return [files.stdout, files.stderr].map((file) => openSync(file, 'a', 0o600));
}

function awaitStart(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

function awaitEnd(child: ChildProcess): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      const settle = () => {
        clearTimeout(timer);
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve({ code, signal });
      };
      const timer = setTimeout(settle, drainTimeoutMs);
      child.once('close', settle);
    });
  });
}
