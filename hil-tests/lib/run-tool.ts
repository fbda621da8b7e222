import { spawn } from 'node:child_process';
import { RigError } from './errors.ts';

/** How a tool runs. */
export interface ToolOptions {
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Runs a program on the rig's own machine. Returns its standard output; rejects with RIG_TOOL and its error output. */
export function runTool(argv: readonly [string, ...string[]], options: ToolOptions = {}): Promise<Buffer> {
  const [program, ...args] = argv;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const signals = [
    AbortSignal.timeout(options.timeoutMs ?? 60_000),
    ...(options.signal ? [options.signal] : []),
  ];
  const child = spawn(program, args, { signal: AbortSignal.any(signals), killSignal: 'SIGKILL' });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A program that ends before it has read all of its input breaks the pipe; its exit says why.
  child.stdin.on('error', () => {});
  child.once('error', (cause) => reject(new RigError('RIG_TOOL', `${program}: ${cause.message}`, { cause })));
  child.once('close', (code, signal) => {
    if (code === 0) return resolve(Buffer.concat(out));
    const said = Buffer.concat([...err, ...out])
      .toString('utf8')
      .trim()
      .slice(-2000);
    reject(new RigError('RIG_TOOL', `${program} ended with ${code ?? signal}: ${said}`));
  });
  child.stdin.end(options.input ?? '');
  return promise;
}
