import { execFile } from 'node:child_process';

/** How a program ended, and what it printed. */
export interface CommandResult {
  /** Null if the program could not be started or was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a short program to its end; never rejects. */
export type RunCommand = (argv: readonly [string, ...string[]]) => Promise<CommandResult>;

const timeoutMs = 10_000;
const maxBytes = 4 * 1024 * 1024;

/** Runs it on this machine. */
export const runCommand: RunCommand = ([program, ...args]) =>
  new Promise((resolve) => {
    const env = { ...process.env, LC_ALL: 'C' };
    const options = { timeout: timeoutMs, maxBuffer: maxBytes, env, killSignal: 'SIGKILL' as const };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else resolve({ code: null, stdout, stderr: stderr || error.message });
    });
  });
