/** Runs the load generator against a server and reads its figures. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { receivingProcessor } from './apart.ts';
import { BenchError } from './errors.ts';
import type { Target } from './servers.ts';

const usageSchema = z.object({
  cpuUs: z.number(),
  rssKib: z.number(),
  pssKib: z.number(),
  descriptors: z.int(),
  threads: z.int(),
});

/** Go writes an empty list as null. */
const numbers = z
  .array(z.number())
  .nullable()
  .transform((list) => list ?? []);

/** Figures of a fan-out. */
export const fanOutSchema = z.object({
  viewers: z.int(),
  seconds: z.number(),
  publishedPackets: z.int(),
  cpuUs: z.number(),
  loadCpuUs: z.number(),
  expectedPackets: z.int(),
  deliveredPackets: z.int(),
  repaired: z.int(),
  unrepaired: z.int(),
  nacks: z.int(),
  delaysUs: numbers,
  joinsMs: numbers,
  keyframes: z.int(),
  profile: z.string(),
  usage: usageSchema,
});
/** See {@link fanOutSchema}. */
export type FanOutFigures = z.infer<typeof fanOutSchema>;

/** Figures of joins. */
export const joinSchema = z.object({
  joins: z.int(),
  keyframeMs: numbers,
  liveMs: numbers,
  gopSeconds: z.number(),
  deaf: z.boolean(),
});
/** See {@link joinSchema}. */
export type JoinFigures = z.infer<typeof joinSchema>;

/** Figures of a soak. */
export const soakSchema = z.object({
  joins: z.int(),
  vanished: z.int(),
  failed: z.int(),
  before: usageSchema,
  during: usageSchema,
  after: usageSchema,
  stayed: fanOutSchema,
});
/** See {@link soakSchema}. */
export type SoakFigures = z.infer<typeof soakSchema>;

const shownSchema = z.object({ longestMs: z.number(), missing: z.int(), frames: z.int() });

/** Figures of a lossy run. */
export const lossSchema = z.object({
  viewers: z.int(),
  seconds: z.number(),
  loss: z.number(),
  dropped: z.int(),
  repaired: z.int(),
  lossy: shownSchema,
  others: shownSchema,
  othersWithLoss: z.int(),
});
/** See {@link lossSchema}. */
export type LossFigures = z.infer<typeof lossSchema>;

/** What the load does. */
export interface LoadOptions {
  readonly mode: 'fanout' | 'join' | 'loss' | 'soak';
  readonly viewers: readonly number[];
  readonly seconds: number;
  readonly gopSeconds: number;
  readonly deaf: boolean;
  readonly joins: number;
  /** Share of the packets that one viewer loses. */
  readonly loss: number;
}

/** What it prints, line by line, as `schema` says. What it has measured before a failure is given with the failure. */
export async function runLoad<T>(
  program: string,
  target: Target,
  options: LoadOptions,
  schema: z.ZodType<T>,
): Promise<{ figures: T[]; failure: string | null }> {
  const args = [
    ['-mode', options.mode],
    ['-whip', target.whip],
    ['-whep', target.whep],
    ['-pid', target.pids.join(',')],
    ['-viewers', options.viewers.join(',')],
    ['-seconds', String(options.seconds)],
    ['-gop', String(options.gopSeconds)],
    ['-joins', String(options.joins)],
    ['-loss', String(options.loss)],
    options.deaf ? ['-deaf'] : [],
    target.token === undefined ? [] : ['-token', target.token],
  ].flat();
  const [command = program, ...rest] =
    receivingProcessor === null
      ? [program, ...args]
      : ['taskset', '--cpu-list', String(receivingProcessor), program, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint = (complaint + String(chunk)).slice(-2000);
  });
  const figures: T[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const parsed = schema.safeParse(JSON.parse(line));
    if (!parsed.success)
      throw new BenchError('The load generator printed an unknown line.', { cause: parsed.error });
    figures.push(parsed.data);
  }
  const [code] = await exited;
  return { figures, failure: code === 0 ? null : complaint.trim() || `exit code ${code}` };
}
