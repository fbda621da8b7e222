import { parse as parseToml, TomlError } from 'smol-toml';
import type { z } from 'zod';
import { camelCaseKeys } from '../../common/camel-case.ts';
import { migrateConfig, type TomlTable } from './migrate.ts';
import { type ConfigProblem, problemsOf } from './problem.ts';
import { type Config, type ConfigFile, configSchema } from './schema.ts';
import { locateTomlKeys, type TomlLines } from './toml-lines.ts';
import { tomlMistake } from './toml-mistake.ts';

/** A valid file. */
export interface ParsedConfig {
  readonly ok: true;
  /** The file's own settings without defaults, in the present format. */
  readonly table: TomlTable;
  /** The settings with defaults, spelled as in the file. */
  readonly file: ConfigFile;
  readonly config: Config;
  /** Keys that were skipped in a file of a newer format. */
  readonly notices: readonly ConfigProblem[];
}

/** A file that cannot be used, and why. */
export interface RefusedConfig {
  readonly ok: false;
  readonly problems: readonly [ConfigProblem, ...ConfigProblem[]];
}

/** Parses the text of rushlight.toml. Never throws: each text gives settings, or at least one problem with its line. */
export function parseConfig(text: string): ParsedConfig | RefusedConfig {
  const parsed = parseTable(text);
  if ('problem' in parsed) return refused([parsed.problem]);
  const { table, isNewer } = migrateConfig(parsed.table);
  return validateTable(table, locateTomlKeys(text), isNewer);
}

/** Checks settings that are already parsed. `skipUnknown` turns unknown keys from problems into notices. */
export function validateTable(
  table: TomlTable,
  lines: TomlLines = { lineOf: () => 1 },
  skipUnknown = false,
): ParsedConfig | RefusedConfig {
  const result = configSchema.safeParse(table);
  if (result.success) {
    const config = camelCaseKeys(configSchema, result.data);
    return { ok: true, table, file: result.data, config, notices: [] };
  }
  const problems = problemsOf(result.error, configSchema, table, lines);
  const unknown = skipUnknown ? unknownPaths(result.error) : [];
  if (unknown.length === 0) return refused(problems);
  const rest = validateTable(without(table, unknown), lines, skipUnknown);
  if (!rest.ok) return rest;
  return { ...rest, notices: [...problems.filter(({ nearest }) => nearest !== null), ...rest.notices] };
}

function parseTable(text: string): { table: TomlTable } | { problem: ConfigProblem } {
  try {
    return { table: parseToml(text) };
  } catch (error) {
    const line = error instanceof TomlError ? Math.max(1, error.line) : 1;
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    const stop = { line, reason: reason.replace(/^Invalid TOML document: /, '') };
    const message = `not TOML: ${tomlMistake(text, stop, locateTomlKeys(text))}`;
    return { problem: { line, key: '', message, expected: 'TOML', nearest: null } };
  }
}

function refused(problems: readonly ConfigProblem[]): RefusedConfig {
  const [first, ...others] = problems;
  const unexplained = { line: 1, key: '', message: 'not a config', expected: null, nearest: null };
  return { ok: false, problems: [first ?? unexplained, ...others] };
}

function unknownPaths(error: z.ZodError): PropertyKey[][] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [],
  );
}

function without(table: TomlTable, paths: readonly PropertyKey[][]): TomlTable {
  const copy = structuredClone({ ...table });
  for (const path of paths) {
    let holder: unknown = copy;
    for (const part of path.slice(0, -1)) holder = (holder as Record<PropertyKey, unknown>)[part];
    delete (holder as Record<PropertyKey, unknown>)[path.at(-1) ?? ''];
  }
  return copy;
}
