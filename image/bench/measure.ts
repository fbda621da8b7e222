import { spawnSync } from 'node:child_process';

/** Runs a tool and gives what it printed. @throws where it fails. */
export function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}

/** How long a command takes, in seconds. @throws where it fails or is no command. */
export function seconds(...[program, ...args]: readonly string[]): number {
  if (program === undefined) throw new Error('no command to run');
  const startedAt = performance.now();
  run(program, ...args);
  return (performance.now() - startedAt) / 1000;
}
