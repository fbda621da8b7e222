import { readFile, rename, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { z } from 'zod';
import { errorCode, RushlightError } from '../../common/errors.ts';
import { removeLeftovers, writeFileAtomic } from '../../common/files.ts';
import { jsonIn } from '../../common/json-text.ts';
import { isRecord } from '../../common/record.ts';

/** Version of state.json as a whole. Sections grow by optional fields, which does not raise it. */
const stateVersion = 1;

/** A damaged version is no reason to forget the sections. */
const documentSchema = z.looseObject({ version: z.int().min(1).catch(stateVersion) });

/** One concern's part of state.json. Its schema needs a default for every field, so that `{}` is valid. */
export interface StateSection<T extends z.ZodObject> {
  readonly name: string;
  readonly schema: T;
}

/**
 * A list in a section. An entry that this release does not understand, such as one of a newer release after a rollback, is
 * dropped; the other entries stay.
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

/** File and reporting of a {@link StateStore}. */
export interface StateStoreOptions {
  readonly file: string;
  readonly logger: Logger;
  /** Part of the file cannot be read. The text says what, for people. */
  readonly onDamage?: (what: string) => void;
}

/**
 * What the appliance has learnt and must keep, in one JSON file that is replaced as a whole. Fields and sections that this
 * program does not know stay in it, so that an older and a newer release can take turns.
 */
export class StateStore {
  readonly #file: string;
  readonly #logger: Logger;
  readonly #onDamage: (what: string) => void;
  /** Sections already reported as damaged. */
  readonly #damaged = new Set<string>();
  /** The file as it was read, until a copy of it has been kept. */
  #found: string | null = null;
  #document: Record<string, unknown> | undefined;
  readonly #inTurn = pLimit(1);

  constructor(options: StateStoreOptions) {
    this.#file = options.file;
    this.#logger = options.logger;
    this.#onDamage = options.onDamage ?? (() => {});
  }

  /**
   * Reads the file. A broken one is moved aside and reported; the appliance then learns again what it can. Rejects if the
   * folder cannot be used.
   */
  async load(): Promise<void> {
    await removeLeftovers(this.#file);
    this.#document = (await this.#read()) ?? { version: stateVersion };
  }

  /** The section as it is now. An invalid section counts as empty. */
  get<T extends z.ZodObject>(section: StateSection<T>): z.output<T> {
    const parsed = section.schema.safeParse(this.#raw(section.name));
    if (parsed.success) return parsed.data;
    this.#noteDamage(section.name, parsed.error);
    return section.schema.parse({});
  }

  /**
   * Changes fields of a section; the other fields stay. Settles when the change is on the disk.
   * @throws StateError if it cannot
   * be written; the change is then undone.
   */
  update<T extends z.ZodObject>(
    section: StateSection<T>,
    change: (current: z.output<T>) => Partial<z.input<T>>,
  ): Promise<void> {
    return this.#inTurn(() => this.#apply(section, change));
  }

  async #apply<T extends z.ZodObject>(
    section: StateSection<T>,
    change: (current: z.output<T>) => Partial<z.input<T>>,
  ): Promise<void> {
    const before = this.#document;
    const changed = { ...this.#foundation(section), ...change(this.get(section)) };
    section.schema.parse(changed);
    const after = { ...before, version: before?.version ?? stateVersion, [section.name]: changed };
    try {
      await writeFileAtomic(this.#file, `${JSON.stringify(after, undefined, 2)}\n`);
    } catch (error) {
      throw new StateError(`cannot write ${this.#file}`, { cause: error });
    }
    this.#document = after;
  }

  #raw(name: string): Record<string, unknown> {
    if (this.#document === undefined) throw new StateError('the state has not been loaded');
    const section = this.#document[name];
    return isRecord(section) ? section : {};
  }

  /** The base of a section's change: the section itself, or of an invalid one the fields that this release does not know. */
  #foundation<T extends z.ZodObject>({ name, schema }: StateSection<T>): Record<string, unknown> {
    const raw = this.#raw(name);
    if (schema.safeParse(raw).success) return raw;
    return Object.fromEntries(Object.entries(raw).filter(([key]) => !Object.hasOwn(schema.shape, key)));
  }

  /** Reports it once. A copy of the old file is kept beside the one in use. */
  #noteDamage(section: string, error: z.ZodError): void {
    if (this.#damaged.has(section)) return;
    this.#damaged.add(section);
    const problem = z.prettifyError(error);
    this.#logger.error({ section, problem }, 'a section of the state is not valid and counts as empty');
    this.#onDamage(`What was remembered as "${section}" was damaged and has been discarded.`);
    void this.#inTurn(() => this.#keepFound());
  }

  async #keepFound(): Promise<void> {
    const text = this.#found;
    this.#found = null;
    if (text === null) return;
    try {
      await writeFile(asideOf(this.#file), text, { mode: 0o600 });
    } catch (error) {
      this.#logger.warn({ err: error }, 'no copy of the damaged state can be kept');
    }
  }

  async #read(): Promise<Record<string, unknown> | undefined> {
    try {
      const text = await readFile(this.#file, 'utf8');
      const parsed = documentSchema.safeParse(jsonIn(text));
      this.#found = text;
      if (parsed.success) return parsed.data;
      await this.#putAside(parsed.error);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') await this.#putAside(error);
    }
    return undefined;
  }

  /** A disk that returns damaged data or an error is no reason not to start. */
  async #putAside(error: unknown): Promise<void> {
    const what = `What this appliance remembered (${basename(this.#file)}) was damaged and has been discarded.`;
    this.#logger.error({ err: error, file: this.#file }, 'the state is broken and is put aside');
    this.#onDamage(what);
    // A folder or a device may already have the first name.
    for (const aside of [asideOf(this.#file), `${asideOf(this.#file)}-${Date.now()}`]) {
      try {
        return await rename(this.#file, aside);
      } catch (cause) {
        this.#logger.warn({ err: cause, aside }, 'the broken state cannot be put aside');
      }
    }
  }
}

function asideOf(file: string): string {
  return `${file}.broken`;
}
