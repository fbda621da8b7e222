import type { z } from 'zod';

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

/** The same in JSON, as requests and commands have it. */
const jsonNames: Readonly<Record<string, string>> = {
  ...typeNames,
  string: 'text',
  object: 'an object',
  record: 'an object',
};

const formatNames: Readonly<Record<string, string>> = {
  url: 'a URL',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  uuid: 'a UUID',
  datetime: 'a time in ISO 8601',
  base64: 'Base64',
};

/** What a value should have been, in our own words for people, never in zod's. Pure. */
export function expectedOf(issue: z.core.$ZodIssue, names = typeNames): string {
  // Our own messages say what was expected; zod's begin with these words.
  if (!/^(Invalid|Too|Unrecognized)\b/.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return names[issue.expected] ?? issue.expected;
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
    case 'invalid_format':
      return issue.pattern === undefined
        ? (formatNames[issue.format] ?? issue.format)
        : `text that fits ${issue.pattern}`;
    default:
      return 'something else';
  }
}

/** What is wrong with one part of a request or a command: `expected true or false`. Pure. */
export function faultOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'unrecognized_keys'
    ? `${issue.keys.map((key) => `"${key}"`).join(', ')} is not known here`
    : `expected ${expectedOf(issue, jsonNames)}`;
}

/** The first thing that is wrong, as a sentence: `"role" is wrong: expected one of "hub", "camera".` Pure. */
export function firstFault({ issues: [first] }: z.ZodError): string {
  if (first === undefined) return 'It is wrong.';
  const name = first.path.map(String).join('.');
  return name === '' ? `It is wrong: ${faultOf(first)}.` : `"${name}" is wrong: ${faultOf(first)}.`;
}

function oneOf(values: readonly z.core.util.Primitive[]): string {
  const list = values.map((item) => (typeof item === 'string' ? `"${item}"` : String(item)));
  return list.length === 1 ? (list[0] ?? '') : `one of ${list.join(', ')}`;
}

function bound(origin: string, which: string, limit: number): string {
  if (origin === 'string' && which === 'at least' && limit === 1) return 'some text';
  if (origin === 'string') return `text of ${which} ${limit} characters`;
  if (origin === 'array') return `a list of ${which} ${limit}`;
  return `a number of ${which} ${limit}`;
}
