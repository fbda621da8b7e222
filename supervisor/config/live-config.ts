import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { readTextIfThere, removeLeftovers, writeFileAtomic } from '../../common/files.ts';
import { type ConfigChanges, changesBetween } from './changes.ts';
import { writeErrorNote } from './error-note.ts';
import { type FoundConfig, readConfigFile } from './load.ts';
import type { TomlTable } from './migrate.ts';
import {
  applyOverrides,
  type Override,
  overridesSection,
  overridesTable,
  patchOverrides,
  standingOverrides,
} from './overrides.ts';
import { parseConfig, type RefusedConfig, validateTable } from './parse.ts';
import {
  blankProblem,
  ConfigChangedError,
  ConfigInvalidError,
  type ConfigProblem,
  formatProblem,
  missingProblem,
} from './problem.ts';
import type { Config, ConfigFile } from './schema.ts';
import { withSecrets } from './secrets.ts';
import type { StateStore } from './state.ts';
import { type EarlierFile, isBlank, looksUnfinished } from './unfinished.ts';
import { watchFile } from './watch.ts';

/** The settings in force, and the problems with them. */
export interface ConfigSnapshot {
  readonly config: Config;
  /** The same, spelled as in the file. */
  readonly file: ConfigFile;
  /** Source of the settings: the present file, the last good one, or the defaults. */
  readonly origin: 'file' | 'last-good' | 'defaults';
  /** Why the file was rejected, or which overrides do not fit it. Empty: no problem. */
  readonly problems: readonly ConfigProblem[];
  /** Keys of a newer format that were skipped. */
  readonly notices: readonly ConfigProblem[];
  /** Settings made through the API, which override the file. */
  readonly overrides: TomlTable;
}

/** A new snapshot and what differs from the one before. */
export interface ConfigChange extends ConfigChanges {
  readonly previous: ConfigSnapshot;
  readonly snapshot: ConfigSnapshot;
}

/** Files and times of {@link LiveConfig}. */
export interface LiveConfigOptions {
  readonly file: string;
  /** A copy of the last valid file, on the data partition, for a boot with an invalid one. */
  readonly lastGoodFile: string;
  /** Loaded already. */
  readonly state: StateStore;
  readonly logger: Logger;
  readonly debounceMs?: number;
  readonly pollMs?: number;
  /** How long a file that looks half written must stay the same before it counts, in milliseconds. Default 2500. */
  readonly settleMs?: number;
}

/** A JSON merge patch, spelled as in the file. */
export type ConfigPatch = Readonly<Record<string, unknown>>;

/** What a valid file said. */
interface Base {
  readonly table: TomlTable;
  readonly origin: ConfigSnapshot['origin'];
  readonly notices: readonly ConfigProblem[];
}

/** Follows rushlight.toml as it changes. Only valid settings come into force. */
export class LiveConfig {
  readonly #options: LiveConfigOptions;
  readonly #listeners = new Set<(change: ConfigChange) => void>();
  #base: Base = { table: {}, origin: 'defaults', notices: [] };
  #fileProblems: readonly ConfigProblem[] = [];
  #snapshot: ConfigSnapshot | undefined;
  /** A tag of an earlier run of the program names nothing. */
  readonly #runId = randomBytes(6).toString('base64url');
  #changes = 0;
  #evaluated: string | undefined;
  readonly #inTurn = pLimit(1);
  #earlier: EarlierFile | null = null;
  #unfinished: { readonly seen: string; readonly sinceMs: number } | null = null;
  #lookAgain: NodeJS.Timeout | undefined;

  constructor(options: LiveConfigOptions) {
    this.#options = options;
  }

  /** The settings in force. Throws before {@link load}. */
  get current(): ConfigSnapshot {
    if (this.#snapshot === undefined) throw new Error('the config has not been loaded');
    return this.#snapshot;
  }

  /** Names the present settings: it is another one after each change. Characters of an entity tag (RFC 9110), without quotes. */
  get tag(): string {
    return `${this.#runId}-${this.#changes}`;
  }

  /** Reads the file for the first time. Always gives settings: the file's, or the last good ones, or the defaults. */
  load(): Promise<ConfigSnapshot> {
    return this.#inTurn(async () => {
      await this.#takeOverLastGood();
      await this.#evaluate();
      return this.current;
    });
  }

  /** Follows the file until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const onChange = () => this.#inTurn(() => this.#evaluate());
    await watchFile({ ...this.#options, onChange }, signal);
    clearTimeout(this.#lookAgain);
    await this.#inTurn(() => {});
  }

  /** Calls back on every change of the settings in force, or of the problems with them. */
  subscribe(listener: (change: ConfigChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /**
   * Overrides keys of the file by a JSON merge patch (RFC 7396); `null` removes an override. A secret that the patch repeats as it
   * was shown stays as it is. A patch that depends on the settings in force is a function of them, called in its turn: two that
   * change one list would otherwise undo each other.
   * @param isExpected whether the settings of a tag are those that the patch was made from
   * @throws ConfigInvalidError if the result is not valid, ConfigChangedError; nothing changes then.
   */
  patch(
    patch: ConfigPatch | ((inForce: ConfigFile) => ConfigPatch),
    isExpected: (tag: string) => boolean = () => true,
  ): Promise<ConfigSnapshot> {
    return this.#inTurn(async () => {
      if (!isExpected(this.tag)) throw new ConfigChangedError();
      const { table } = this.#base;
      const { file } = this.current;
      const whole = withSecrets(typeof patch === 'function' ? patch(file) : patch, file);
      const overrides = patchOverrides(this.#standing(), whole, table);
      const result = this.#validate(applyOverrides(table, overrides));
      if (!result.ok) throw new ConfigInvalidError(result.problems);
      await this.#options.state.update(overridesSection, () => ({ overrides }));
      this.#publish();
      return this.current;
    });
  }

  async #takeOverLastGood(): Promise<void> {
    await this.#reporting('clear what a crash left', () => removeLeftovers(this.#options.lastGoodFile));
    const text = await this.#readLastGood();
    const parsed = text === undefined ? undefined : parseConfig(text);
    if (text === undefined || parsed?.ok !== true) return;
    this.#base = { table: parsed.table, origin: 'last-good', notices: parsed.notices };
    this.#earlier = { text, table: parsed.table };
  }

  /** Reads the file as it is now. */
  async #evaluate(): Promise<void> {
    const found = await readConfigFile(this.#options.file);
    const seen = JSON.stringify(found);
    clearTimeout(this.#lookAgain);
    if (seen === this.#evaluated || !this.#hasSettled(found, seen)) return;
    this.#evaluated = seen;
    if (found.state === 'read' && !this.#hasLostAll(found.text)) await this.#takeText(found.text);
    else if (found.state === 'read') this.#refuse({ ok: false, problems: [blankProblem] });
    else if (found.state === 'unreadable') this.#refuse({ ok: false, problems: [found.problem] });
    else if (this.#base.origin === 'defaults') this.#fileProblems = [];
    else this.#refuse({ ok: false, problems: [missingProblem] });
    await this.#dropOverriddenByFile();
    this.#publish();
    await this.#noteProblems();
  }

  /** Whether the file counts as it is. At the start no one can be in the middle of writing it. */
  #hasSettled(found: FoundConfig, seen: string): boolean {
    if (this.#snapshot === undefined || !looksUnfinished(this.#earlier, found)) return true;
    const { settleMs = 2500 } = this.#options;
    if (this.#unfinished?.seen !== seen) this.#unfinished = { seen, sinceMs: performance.now() };
    const leftMs = settleMs - (performance.now() - this.#unfinished.sinceMs);
    if (leftMs <= 0) return true;
    this.#lookAgain = setTimeout(() => {
      this.#inTurn(() => this.#evaluate()).catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'cannot take over a change of the config');
      });
    }, leftMs);
    return false;
  }

  /** A file that had settings and is now blank is not intended: editors and power cuts leave such files. */
  #hasLostAll(text: string): boolean {
    return isBlank(text) && Object.keys(this.#base.table).length > 0;
  }

  async #takeText(text: string): Promise<void> {
    const parsed = parseConfig(text);
    if (!parsed.ok) return this.#refuse(parsed);
    this.#base = { table: parsed.table, origin: 'file', notices: parsed.notices };
    this.#earlier = { text, table: parsed.table };
    this.#fileProblems = [];
    for (const notice of parsed.notices) this.#options.logger.warn({ notice }, 'a newer setting is skipped');
    if ((await this.#readLastGood()) === text) return;
    await this.#reporting('keep a copy of the config', () =>
      writeFileAtomic(this.#options.lastGoodFile, text),
    );
  }

  #refuse({ problems }: RefusedConfig): void {
    this.#fileProblems = problems;
    if (this.#base.origin === 'file') this.#base = { ...this.#base, origin: 'last-good' };
    this.#options.logger.error(
      { file: this.#options.file, problems: problems.map(formatProblem) },
      'the config is not right; the last good one stays in force',
    );
  }

  #standing(): Override[] {
    return standingOverrides(this.#options.state.get(overridesSection).overrides, this.#base.table);
  }

  /** The owner's most recent change wins: when the file changes a key, the override of that key ends. */
  async #dropOverriddenByFile(): Promise<void> {
    const standing = this.#standing();
    if (standing.length === this.#options.state.get(overridesSection).overrides.length) return;
    await this.#reporting('drop settings that the file has changed', () =>
      this.#options.state.update(overridesSection, () => ({ overrides: standing })),
    );
  }

  #publish(): void {
    const previous = this.#snapshot;
    const snapshot = this.#compose();
    this.#snapshot = snapshot;
    if (previous === undefined) return;
    const change = { ...changesBetween(previous.file, snapshot.file), previous, snapshot };
    if (isDeepStrictEqual(previous, snapshot)) return;
    this.#changes += 1;
    for (const listener of this.#listeners) listener(change);
  }

  #compose(): ConfigSnapshot {
    const { table, origin, notices } = this.#base;
    const overrides = this.#standing();
    const whole = this.#validate(applyOverrides(table, overrides));
    if (whole.ok) {
      const { config, file } = whole;
      const shown = overridesTable(overrides);
      return { config, file, origin, problems: this.#fileProblems, notices, overrides: shown };
    }
    // File and overrides are each valid, but not together: the file wins.
    const alone = this.#validate(table);
    if (!alone.ok) throw new ConfigInvalidError(alone.problems);
    const problems = [...this.#fileProblems, ...whole.problems.map(setAside)];
    return { config: alone.config, file: alone.file, origin, problems, notices, overrides: {} };
  }

  #validate(table: TomlTable) {
    return validateTable(table, undefined, this.#base.notices.length > 0);
  }

  async #noteProblems(): Promise<void> {
    await this.#reporting('write the note beside the config', () =>
      writeErrorNote(this.#options.file, this.#fileProblems),
    );
  }

  async #readLastGood(): Promise<string | undefined> {
    try {
      return (await readTextIfThere(this.#options.lastGoodFile)) ?? undefined;
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'cannot read the copy of the last good config');
      return undefined;
    }
  }

  /** A failure to remember or report must not keep valid settings from coming into force. */
  async #reporting(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#options.logger.warn({ err: error }, `cannot ${what}`);
    }
  }
}

function setAside(problem: ConfigProblem): ConfigProblem {
  return { ...problem, message: `set through the API, but does not fit the file: ${problem.message}` };
}
