import type { z } from 'zod';
import { RushlightError } from '../errors.ts';
import { formatKeyPath, type KeyPath } from './key-path.ts';
import { knownKeys } from './known-keys.ts';
import { nearestKey } from './nearest-key.ts';
import type { TomlLines } from './toml-lines.ts';

/** What is wrong in a config, as page, MQTT, console and the file beside it show it. */
export interface ConfigProblem {
  /** Line of the file, from 1. */
  readonly line: number;
  /** `source[0].fps`; empty where the file cannot be read as TOML. */
  readonly key: string;
  /** One sentence for people. */
  readonly message: string;
  readonly expected: string | null;
  /** The nearest known key, where the key is unknown. */
  readonly nearest: string | null;
}

/** Settings that are not valid; those in force stay. */
export class ConfigInvalidError extends RushlightError {
  readonly code = 'CONFIG_INVALID';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ key, message }) => (key === '' ? message : `${key}: ${message}`)).join('; '));
    this.problems = problems;
  }
}

/** A problem as one line of text: `line 7, source[0].fps: expected a number of at most 240`. */
export function formatProblem({ line, key, message }: ConfigProblem): string {
  return `line ${line}${key === '' ? '' : `, ${key}`}: ${message}`;
}

/** Turns what zod found into problems, in the order of the file. */
export function problemsOf(
  error: z.ZodError,
  schema: z.ZodType,
  value: unknown,
  lines: TomlLines,
): readonly ConfigProblem[] {
  return error.issues
    .flatMap((issue) => problemsOfIssue(issue, schema, value, lines))
    .sort((a, b) => a.line - b.line);
}

function problemsOfIssue(
  issue: z.core.$ZodIssue,
  schema: z.ZodType,
  value: unknown,
  lines: TomlLines,
): ConfigProblem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...path, key], knownKeys(schema, path, value), lines));
  }
  const expected = expectedOf(issue);
  return [
    {
      line: lines.lineOf(path),
      key: formatKeyPath(path),
      message: `expected ${expected}`,
      expected,
      nearest: null,
    },
  ];
}

function unknownKey(path: KeyPath, known: ReturnType<typeof knownKeys>, lines: TomlLines): ConfigProblem {
  const nearest = nearestKey(String(path.at(-1)), known) ?? null;
  const hint = nearest === null ? '' : `; the nearest known key is ${nearest}`;
  return {
    line: lines.lineOf(path),
    key: formatKeyPath(path),
    message: `unknown key${hint}`,
    expected: null,
    nearest,
  };
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a table',
  record: 'a table',
};

function expectedOf(issue: z.core.$ZodIssue): string {
  // Messages of our own say what was expected; those of zod begin with these words.
  if (!/^(Invalid|Too|Unrecognized)\b/.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return typeNames[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return oneOf(issue.values);
    case 'invalid_union':
      return 'options' in issue && issue.options !== undefined ? oneOf(issue.options) : 'something else';
    case 'too_big':
      return bound(issue.origin, 'at most', Number(issue.maximum));
    case 'too_small':
      return bound(issue.origin, 'at least', Number(issue.minimum));
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    default:
      return 'something else';
  }
}

function oneOf(values: readonly z.core.util.Primitive[]): string {
  const list = values.map((item) => (typeof item === 'string' ? `"${item}"` : String(item)));
  return list.length === 1 ? (list[0] ?? '') : `one of ${list.join(', ')}`;
}

function bound(origin: string, which: string, limit: number): string {
  if (origin === 'string') return `text of ${which} ${limit} characters`;
  if (origin === 'array') return `a list of ${which} ${limit}`;
  return `a number of ${which} ${limit}`;
}
