import type { z } from 'zod';
import { RushlightError } from '../../common/errors.ts';
import { expectedOf } from './expected.ts';
import { formatKeyPath, type KeyPath } from './key-path.ts';
import { knownKeys } from './known-keys.ts';
import { nearestKey } from './nearest-key.ts';
import type { TomlLines } from './toml-lines.ts';

/** A problem with a config, as page, MQTT, console and the note beside the file show it. */
export interface ConfigProblem {
  /** Line of the file, from 1. */
  readonly line: number;
  /** `source[0].fps`; empty if the file cannot be read as TOML. */
  readonly key: string;
  /** One sentence for people. */
  readonly message: string;
  readonly expected: string | null;
  /** The nearest known key, if the key is unknown. */
  readonly nearest: string | null;
}

/** There is no file. */
export const missingProblem: ConfigProblem = {
  line: 1,
  key: '',
  message: 'the file is missing',
  expected: null,
  nearest: null,
};

/** The file says nothing, which an interrupted write may have left. */
export const blankProblem: ConfigProblem = {
  ...missingProblem,
  message: 'the file is empty; to go back to the defaults, leave a comment (# …) in it',
};

/** Settings that are not valid. Those in force stay. */
export class ConfigInvalidError extends RushlightError {
  readonly code = 'CONFIG_INVALID';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ key, message }) => (key === '' ? message : `${key}: ${message}`)).join('; '));
    this.problems = problems;
  }
}

/** The settings are no longer those that a change was made from. */
export class ConfigChangedError extends RushlightError {
  readonly code = 'CONFIG_CHANGED';

  constructor() {
    super('The settings have changed since they were read; nothing was changed now.', {
      hint: 'Read them again, and repeat the change.',
    });
  }
}

/** A problem as one line of text: `line 7, source[0].fps: expected a number of at most 240`. */
export function formatProblem({ line, key, message }: ConfigProblem): string {
  return `line ${line}${key === '' ? '' : `, ${key}`}: ${message}`;
}

/** Turns zod's findings into problems, in the order of the file. */
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
      message: messageOf(expected, path, valueAt(value, path)),
      expected,
      nearest: null,
    },
  ];
}

/** What was expected, with what is there instead if that is a usual mistake. */
function messageOf(expected: string, path: KeyPath, value: unknown): string {
  if (value === undefined) return `missing; expected ${expected}`;
  if (typeof value === 'string' && /^a (whole )?number/.test(expected) && /^[\d.]+$/.test(value.trim()))
    return `expected ${expected}, without quotes`;
  if (expected === 'a list' && typeof value === 'object')
    return `expected a list; write [[${path.at(-1)}]] with two brackets on each side`;
  return `expected ${expected}`;
}

function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (holder, part) =>
      typeof holder === 'object' && holder !== null
        ? (holder as Record<string | number, unknown>)[part]
        : undefined,
    value,
  );
}

function unknownKey(path: KeyPath, known: ReturnType<typeof knownKeys>, lines: TomlLines): ConfigProblem {
  const nearest = nearestKey(String(path.at(-1)), known) ?? null;
  // A key of the top after a table header belongs to that table.
  const place = nearest !== null && nearest === path.at(-1) ? ', which belongs above the first [table]' : '';
  const hint = nearest === null ? '' : `; the nearest known key is ${nearest}${place}`;
  return {
    line: lines.lineOf(path),
    key: formatKeyPath(path),
    message: `unknown key${hint}`,
    expected: null,
    nearest,
  };
}
