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
import { ConfigInvalidError, type ConfigProblem, formatProblem } from './problem.ts';
import type { Config, ConfigFile } from './schema.ts';
import { withSecrets } from './secrets.ts';
import type { StateStore } from './state.ts';
import { type EarlierFile, isBlank, looksUnfinished } from './unfinished.ts';
import { watchFile } from './watch.ts';

/** The settings in force, and what there is to say about them. */
export interface ConfigSnapshot {
  readonly config: Config;
  /** The same, spelled as in the file. */
  readonly file: ConfigFile;
  /** Where they come from: the file as it is now, the last good one, or nowhere. */
  readonly origin: 'file' | 'last-good' | 'defaults';
  /** Why the file was refused, or what of the overrides does not fit it; empty: all is well. */
  readonly problems: readonly ConfigProblem[];
  /** What of a newer format was skipped. */
  readonly notices: readonly ConfigProblem[];
  /** What was set through the API and stands over the file. */
  readonly overrides: TomlTable;
}

export interface ConfigChange extends ConfigChanges {
  readonly previous: ConfigSnapshot;
  readonly snapshot: ConfigSnapshot;
}

export interface LiveConfigOptions {
  readonly file: string;
  /** A copy of the last file that was right, on the data partition, for a boot with a broken one. */
  readonly lastGoodFile: string;
  /** Loaded already. */
  readonly state: StateStore;
  readonly logger: Logger;
  readonly debounceMs?: number;
  readonly pollMs?: number;
  /** How long a file that looks as if it were being written must stay as it is before it counts. Default 2500. */
  readonly settleMs?: number;
}

/** What a good file said. */
interface Base {
  readonly table: TomlTable;
  readonly origin: ConfigSnapshot['origin'];
  readonly notices: readonly ConfigProblem[];
}

/** rushlight.toml while it changes: only what is right comes into force. */
export class LiveConfig {
  private readonly options: LiveConfigOptions;
  private readonly listeners = new Set<(change: ConfigChange) => void>();
  private base: Base = { table: {}, origin: 'defaults', notices: [] };
  private fileProblems: readonly ConfigProblem[] = [];
  private snapshot: ConfigSnapshot | undefined;
  private evaluated: string | undefined;
  private readonly inTurn = pLimit(1);
  private earlier: EarlierFile | null = null;
  private unfinished: { readonly seen: string; readonly sinceMs: number } | null = null;
  private lookAgain: NodeJS.Timeout | undefined;

  constructor(options: LiveConfigOptions) {
    this.options = options;
  }

  /** The settings in force. Throws before {@link load}. */
  get current(): ConfigSnapshot {
    if (this.snapshot === undefined) throw new Error('the config has not been loaded');
    return this.snapshot;
  }

  /** Reads the file for the first time. Always gives settings: the file's, else the last good ones, else defaults. */
  load(): Promise<ConfigSnapshot> {
    return this.inTurn(async () => {
      await this.takeOverLastGood();
      await this.evaluate();
      return this.current;
    });
  }

  /** Follows the file until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const onChange = () => this.inTurn(() => this.evaluate());
    await watchFile({ ...this.options, onChange }, signal);
    clearTimeout(this.lookAgain);
    await this.inTurn(() => {});
  }

  /** Tells of every change of the settings in force or of what there is to say about them. */
  subscribe(listener: (change: ConfigChange) => void): Disposable {
    this.listeners.add(listener);
    return { [Symbol.dispose]: () => void this.listeners.delete(listener) };
  }

  /**
   * Sets keys over the file by a JSON merge patch (RFC 7396); `null` drops what was set before. A secret that the patch repeats as it
   * was shown stays as it is.
   * @throws ConfigInvalidError where the result would not be valid; nothing is changed then.
   */
  patch(patch: Readonly<Record<string, unknown>>): Promise<ConfigSnapshot> {
    return this.inTurn(async () => {
      const { table } = this.base;
      const whole = withSecrets(patch, this.current.file);
      const overrides = patchOverrides(this.standing(), whole, table);
      const result = this.validate(applyOverrides(table, overrides));
      if (!result.ok) throw new ConfigInvalidError(result.problems);
      await this.options.state.update(overridesSection, () => ({ overrides }));
      this.publish();
      return this.current;
    });
  }

  private async takeOverLastGood(): Promise<void> {
    await this.reporting('clear what a crash left', () => removeLeftovers(this.options.lastGoodFile));
    const text = await this.readLastGood();
    const parsed = text === undefined ? undefined : parseConfig(text);
    if (text === undefined || parsed?.ok !== true) return;
    this.base = { table: parsed.table, origin: 'last-good', notices: parsed.notices };
    this.earlier = { text, table: parsed.table };
  }

  /** Looks at the file as it is now. */
  private async evaluate(): Promise<void> {
    const found = await readConfigFile(this.options.file);
    const seen = JSON.stringify(found);
    clearTimeout(this.lookAgain);
    if (seen === this.evaluated || !this.hasSettled(found, seen)) return;
    this.evaluated = seen;
    if (found.state === 'read' && !this.hasLostAll(found.text)) await this.takeText(found.text);
    else if (found.state === 'read') this.refuse({ ok: false, problems: [blankProblem] });
    else if (found.state === 'unreadable') this.refuse({ ok: false, problems: [found.problem] });
    else if (this.base.origin === 'defaults') this.fileProblems = [];
    else this.refuse({ ok: false, problems: [missingProblem] });
    await this.dropOverriddenByFile();
    this.publish();
    await this.noteProblems();
  }

  /** Whether the file counts as it is. At the start there is nobody who could be writing it. */
  private hasSettled(found: FoundConfig, seen: string): boolean {
    if (this.snapshot === undefined || !looksUnfinished(this.earlier, found)) return true;
    const { settleMs = 2500 } = this.options;
    if (this.unfinished?.seen !== seen) this.unfinished = { seen, sinceMs: performance.now() };
    const leftMs = settleMs - (performance.now() - this.unfinished.sinceMs);
    if (leftMs <= 0) return true;
    this.lookAgain = setTimeout(() => {
      this.inTurn(() => this.evaluate()).catch((error: unknown) => {
        this.options.logger.error({ err: error }, 'cannot take over a change of the config');
      });
    }, leftMs);
    return false;
  }

  /** A file that had settings and is blank was not meant so: editors and power cuts leave such files. */
  private hasLostAll(text: string): boolean {
    return isBlank(text) && Object.keys(this.base.table).length > 0;
  }

  private async takeText(text: string): Promise<void> {
    const parsed = parseConfig(text);
    if (!parsed.ok) return this.refuse(parsed);
    this.base = { table: parsed.table, origin: 'file', notices: parsed.notices };
    this.earlier = { text, table: parsed.table };
    this.fileProblems = [];
    for (const notice of parsed.notices) this.options.logger.warn({ notice }, 'a newer setting is skipped');
    if ((await this.readLastGood()) === text) return;
    await this.reporting('keep a copy of the config', () => writeFileAtomic(this.options.lastGoodFile, text));
  }

  private refuse({ problems }: RefusedConfig): void {
    this.fileProblems = problems;
    if (this.base.origin === 'file') this.base = { ...this.base, origin: 'last-good' };
    this.options.logger.error(
      { file: this.options.file, problems: problems.map(formatProblem) },
      'the config is not right; the last good one stays in force',
    );
  }

  private standing(): Override[] {
    return standingOverrides(this.options.state.get(overridesSection).overrides, this.base.table);
  }

  /** The owner's last word counts: a key that the file has changed since is the file's again. */
  private async dropOverriddenByFile(): Promise<void> {
    const standing = this.standing();
    if (standing.length === this.options.state.get(overridesSection).overrides.length) return;
    await this.reporting('drop settings that the file has changed', () =>
      this.options.state.update(overridesSection, () => ({ overrides: standing })),
    );
  }

  private publish(): void {
    const previous = this.snapshot;
    const snapshot = this.compose();
    this.snapshot = snapshot;
    if (previous === undefined) return;
    const change = { ...changesBetween(previous.file, snapshot.file), previous, snapshot };
    if (isDeepStrictEqual(previous, snapshot)) return;
    for (const listener of this.listeners) listener(change);
  }

  private compose(): ConfigSnapshot {
    const { table, origin, notices } = this.base;
    const overrides = this.standing();
    const whole = this.validate(applyOverrides(table, overrides));
    if (whole.ok) {
      const { config, file } = whole;
      const shown = overridesTable(overrides);
      return { config, file, origin, problems: this.fileProblems, notices, overrides: shown };
    }
    // The file and what was set over it are each legal, but not together: the file wins.
    const alone = this.validate(table);
    if (!alone.ok) throw new ConfigInvalidError(alone.problems);
    const problems = [...this.fileProblems, ...whole.problems.map(setAside)];
    return { config: alone.config, file: alone.file, origin, problems, notices, overrides: {} };
  }

  private validate(table: TomlTable) {
    return validateTable(table, undefined, this.base.notices.length > 0);
  }

  private async noteProblems(): Promise<void> {
    await this.reporting('write the note beside the config', () =>
      writeErrorNote(this.options.file, this.fileProblems),
    );
  }

  private async readLastGood(): Promise<string | undefined> {
    try {
      return (await readTextIfThere(this.options.lastGoodFile)) ?? undefined;
    } catch (error) {
      this.options.logger.warn({ err: error }, 'cannot read the copy of the last good config');
      return undefined;
    }
  }

  /** What only serves to remember or to tell must not keep good settings from coming into force. */
  private async reporting(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.options.logger.warn({ err: error }, `cannot ${what}`);
    }
  }
}

const missingProblem: ConfigProblem = {
  line: 1,
  key: '',
  message: 'the file is missing',
  expected: null,
  nearest: null,
};

const blankProblem: ConfigProblem = {
  ...missingProblem,
  message: 'the file is empty; to go back to the defaults, leave a comment (# …) in it',
};

function setAside(problem: ConfigProblem): ConfigProblem {
  return { ...problem, message: `set through the API, but does not fit the file: ${problem.message}` };
}
