import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ChildHost } from './child-host.ts';

/** Runs real programs plainly, for tests; the product's host does it in groups of their own. */
export function plainChildHost(env: Record<string, string> = {}): ChildHost {
  return {
    spawn: async (spec, onLine) => {
      const [program, ...args] = spec.argv;
      const child = spawn(program, args, {
        env: { ...process.env, ...env, ...spec.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      const streams = (['stdout', 'stderr'] as const).map(
        (stream) =>
          new Promise<void>((resolve) => {
            const reader = createInterface({ input: child[stream] });
            reader.on('line', (text) => onLine?.({ stream, text }));
            reader.once('close', resolve);
          }),
      );
      const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
        child.once('exit', (code, signal) => void Promise.all(streams).then(() => resolve({ code, signal })));
      });
      const stop = async () => {
        if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
        return exited;
      };
      return {
        exited,
        stop,
        [Symbol.asyncDispose]: async () => {
          await stop();
        },
      };
    },
  };
}
