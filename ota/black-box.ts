import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { z } from 'zod';
import { readKept, replaceFile } from './store.ts';

const stageSchema = z.object({
  name: z.string(),
  at: z.iso.datetime(),
  ok: z.boolean(),
  detail: z.string().nullable(),
});

const attemptSchema = z.object({
  version: z.string(),
  fromVersion: z.string(),
  slot: z.enum(['A', 'B']),
  at: z.iso.datetime(),
  outcome: z.enum(['committed', 'rolled-back', 'refused', 'failed']).nullable(),
  reason: z.string().nullable(),
  stages: z.array(stageSchema).max(200),
  /** Last lines of output, for people who look for the cause. */
  log: z.array(z.string()).max(400),
});

/** A newer release may know outcomes that this one does not: such an attempt is skipped, the others are kept. */
const boxSchema = z.object({
  schema: z.int().min(1),
  attempts: z.array(z.unknown()),
});

/** One attempt to update, with its stages. */
export type Attempt = z.infer<typeof attemptSchema>;

const KEPT_ATTEMPTS = 10;
const KEPT_LOG_LINES = 400;

/**
 * The record of update attempts on the data partition, written through at every stage: whichever slot starts next can tell how
 * far the last attempt got, and why it ended. No attempt begins without it; once one is under way, a disk that accepts no more
 * writes costs the record, not the verdict.
 */
export class BlackBox {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #now: () => Date;
  readonly #inTurn = pLimit(1);
  #attempts: Attempt[] = [];
  #isLoaded = false;

  constructor(folder: string, logger: Logger, now: () => Date = () => new Date()) {
    this.#path = join(folder, 'black-box.json');
    this.#logger = logger;
    this.#now = now;
  }

  /** Reads what is there, once. A box that cannot be read is moved aside, and a new one started. */
  async load(): Promise<void> {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    let whole = '';
    const parse = (text: string) => {
      whole = text;
      return boxSchema.parse(JSON.parse(text)).attempts;
    };
    const kept = (await readKept(this.#path, parse, this.#logger)) ?? [];
    this.#attempts = kept.flatMap((attempt) => attemptSchema.safeParse(attempt).data ?? []);
    if (this.#attempts.length < kept.length) await this.#keepPassedOver(whole);
  }

  /** The next write leaves out what this release does not understand, or the disk damaged. */
  async #keepPassedOver(text: string): Promise<void> {
    this.#logger.warn(
      { file: this.#path },
      'attempts of the black box are not understood; a copy keeps them',
    );
    await replaceFile(`${this.#path}.broken`, text).catch((error: unknown) =>
      this.#logger.warn({ err: error }, 'the copy of the black box could not be written'),
    );
  }

  get last(): Attempt | null {
    return this.#attempts.at(-1) ?? null;
  }

  /** The attempt whose outcome is not known yet. */
  get open(): Attempt | null {
    const last = this.last;
    return last?.outcome === null ? last : null;
  }

  get attempts(): readonly Attempt[] {
    return this.#attempts;
  }

  /** @throws {OtaError} `DISK_FULL`, `STORE_FAILED` if it cannot be written; the caller then closes it */
  async begin(attempt: Pick<Attempt, 'version' | 'fromVersion' | 'slot'>): Promise<void> {
    if (this.open !== null) await this.close('failed', 'another attempt took its place');
    this.#attempts.push({
      ...attempt,
      at: this.#now().toISOString(),
      outcome: null,
      reason: null,
      stages: [],
      log: [],
    });
    this.#attempts = this.#attempts.slice(-KEPT_ATTEMPTS);
    await this.#save();
  }

  /** Notes how far the open attempt got; does nothing if none is open. */
  async stage(name: string, ok: boolean, detail: string | null = null): Promise<void> {
    if (this.open === null) return;
    this.#change({
      stages: [...this.open.stages, { name, at: this.#now().toISOString(), ok, detail }].slice(-200),
    });
    await this.#note();
  }

  /** Corrects what the open attempt is (the version of a bundle that was given by its address). */
  async amend(change: Partial<Pick<Attempt, 'version' | 'slot'>>): Promise<void> {
    if (this.open === null) return;
    this.#change(change);
    await this.#note();
  }

  /** Adds lines to the open attempt's log; they reach the disk with the next stage. */
  log(lines: readonly string[]): void {
    if (this.open === null) return;
    this.#change({ log: [...this.open.log, ...lines].slice(-KEPT_LOG_LINES) });
  }

  async close(outcome: NonNullable<Attempt['outcome']>, reason: string | null): Promise<void> {
    if (this.open === null) return;
    this.#change({ outcome, reason });
    await this.#note();
  }

  #change(change: Partial<Attempt>): void {
    const open = this.open;
    if (open !== null) this.#attempts = [...this.#attempts.slice(0, -1), { ...open, ...change }];
  }

  async #note(): Promise<void> {
    try {
      await this.#save();
    } catch (error) {
      this.#logger.error({ err: error }, 'the black box could not be written');
    }
  }

  #save(): Promise<void> {
    return this.#inTurn(() => {
      const text = JSON.stringify({ schema: 1, attempts: this.#attempts }, null, 1);
      return replaceFile(this.#path, `${text}\n`);
    });
  }
}
