import type { ChildHost } from '../common/child-host.ts';

/** How a program ended. */
export interface RunResult {
  readonly code: number | null;
  /** The last lines of both streams, in the order they came. */
  readonly lines: readonly string[];
  readonly stdout: readonly string[];
}

const KEPT_LINES = 200;

/** Runs a program to its end. Time, number of lines and the signal limit it. */
export async function runToEnd(
  children: ChildHost,
  name: string,
  argv: readonly [string, ...string[]],
  options: { signal?: AbortSignal; timeoutMs?: number; onLine?: (text: string) => void } = {},
): Promise<RunResult> {
  const lines: string[] = [];
  const stdout: string[] = [];
  const child = await children.spawn({ name, argv }, ({ stream, text }) => {
    lines.push(text);
    if (lines.length > KEPT_LINES) lines.shift();
    if (stream === 'stdout' && stdout.length < KEPT_LINES) stdout.push(text);
    options.onLine?.(text);
  });
  await using _ended = child;
  const limit = AbortSignal.timeout(options.timeoutMs ?? 120_000);
  const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
  const stop = () => {
    // The outcome is read from `exited`; stop itself never rejects by its contract.
    void child.stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const { code } = await child.exited;
    return { code, lines, stdout };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
