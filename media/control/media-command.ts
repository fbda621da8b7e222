/** How the media process is started: by the supervisor, and by the benchmark, which is to measure the same. */
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
/**
 * V8 lets the heap of new objects grow to three times 16 MiB, which a stream of short-lived objects always fills. What this
 * process makes in JavaScript is little: no packet of a feed comes there. `gc` is called when sessions have ended: by itself V8
 * keeps what they left until it needs room.
 */
const options = ['--max-semi-space-size=2', '--expose-gc'];

/** How the media process is started. */
export interface MediaCommand {
  readonly argv: readonly [program: string, ...args: string[]];
  readonly env: Readonly<Record<string, string>>;
}

/** The command for it. */
export function mediaCommand(socketPath: string, program = main): MediaCommand {
  return {
    argv: [process.execPath, ...options, program, '--socket', socketPath],
    // glibc gives each thread memory of its own, which none of the others uses again.
    env: { MALLOC_ARENA_MAX: '2' },
  };
}
