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
