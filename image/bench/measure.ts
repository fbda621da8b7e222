import { spawnSync } from 'node:child_process';

/**
 * Runs a tool and returns what it printed.
 * @throws if it fails.
 */
export function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}

/**
 * Processor time of a command, in seconds: comparable even on a machine that others use, too.
 * @throws if it fails
 */
export function cpuSeconds(...command: readonly string[]): number {
  const script = 'TIMEFORMAT="%U %S"; time "$@" 2> /dev/null';
  const { status, stderr, error } = spawnSync('bash', ['-c', script, 'time', ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}`);
  const [user, system] = stderr.trim().split(' ').map(Number);
  return (user ?? Number.NaN) + (system ?? Number.NaN);
}
