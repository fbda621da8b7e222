import { readFile, rename } from 'node:fs/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { errorCode, RushlightError } from '../errors.ts';
import { removeLeftovers, writeFileAtomic } from './atomic-write.ts';

/** Version of state.json as a whole; sections grow by optional fields and do not raise it. */
const stateVersion = 1;

const documentSchema = z.looseObject({ version: z.int().min(1) });

/** One concern's part of state.json. Its schema needs a default for every field, so that `{}` is valid. */
export interface StateSection<T extends z.ZodObject> {
  readonly name: string;
  readonly schema: T;
}

/**
 * A list in a section. An entry that this release does not understand, such as one of a newer release after a rollback, is
 * left out and does not take the others with it.
 */
export function listOf<T extends z.ZodType>(entry: T) {
  return z
    .array(z.unknown())
    .transform((entries): z.output<T>[] =>
      entries.flatMap((one) => {
        const parsed = entry.safeParse(one);
        return parsed.success ? [parsed.data] : [];
      }),
    )
    .default([]);
}

/** State was asked for before it was loaded, or could not be written. */
export class StateError extends RushlightError {
  readonly code = 'STATE_UNAVAILABLE';
}

export interface StateStoreOptions {
  readonly file: string;
  readonly logger: Logger;
}

/**
 * What the appliance learnt and must not forget, in one JSON file that is replaced as a whole. Fields and sections
 * that this program does not know stay in it, so that an older and a newer release can take turns.
 */
export class StateStore {
  private readonly file: string;
  private readonly logger: Logger;
  private document: Record<string, unknown> | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(options: StateStoreOptions) {
    this.file = options.file;
    this.logger = options.logger;
  }

  /** Reads the file. A broken one is put aside and named in the log; the appliance starts with what it can relearn. */
  async load(): Promise<void> {
    await removeLeftovers(this.file);
    this.document = (await this.read()) ?? { version: stateVersion };
  }

  /** The section as it is. A section that is not valid counts as empty. */
  get<T extends z.ZodObject>(section: StateSection<T>): z.output<T> {
    const parsed = section.schema.safeParse(this.raw(section.name));
    if (parsed.success) return parsed.data;
    this.logger.error(
      { section: section.name, problem: z.prettifyError(parsed.error) },
      'a section of the state is not valid and counts as empty',
    );
    return section.schema.parse({});
  }

  /**
   * Changes fields of a section; those not named stay. Settles when it is on the disk.
   * @throws StateError where it cannot be written; the change is then undone.
   */
  update<T extends z.ZodObject>(
    section: StateSection<T>,
    change: (current: z.output<T>) => Partial<z.input<T>>,
  ): Promise<void> {
    const done = this.writing.then(() => this.apply(section, change));
    // The next writer waits for this one, whatever becomes of it; the caller gets the error.
    this.writing = done.catch(() => {});
    return done;
  }

  private async apply<T extends z.ZodObject>(
    section: StateSection<T>,
    change: (current: z.output<T>) => Partial<z.input<T>>,
  ): Promise<void> {
    const before = this.document;
    const changed = { ...this.raw(section.name), ...change(this.get(section)) };
    section.schema.parse(changed);
    const after = { ...before, version: before?.version ?? stateVersion, [section.name]: changed };
    try {
      await writeFileAtomic(this.file, `${JSON.stringify(after, undefined, 2)}\n`);
    } catch (error) {
      throw new StateError(`cannot write ${this.file}`, { cause: error });
    }
    this.document = after;
  }

  private raw(name: string): Record<string, unknown> {
    if (this.document === undefined) throw new StateError('the state has not been loaded');
    const section = this.document[name];
    return isRecord(section) ? section : {};
  }

  private async read(): Promise<Record<string, unknown> | undefined> {
    let text: string;
    try {
      text = await readFile(this.file, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw new StateError(`cannot read ${this.file}`, { cause: error });
    }
    const parsed = documentSchema.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    const aside = `${this.file}.broken`;
    await rename(this.file, aside);
    this.logger.error({ file: this.file, aside }, 'the state is broken and was put aside');
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told apart by the schema: nothing valid is undefined.
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
