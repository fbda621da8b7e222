import type { TomlLines } from './toml-lines.ts';

/** Characters; nobody reads more, and no expression has to. */
const longestLine = 500;

/** Where the parser stopped. */
export interface TomlStop {
  /** From 1. */
  readonly line: number;
  /** The parser's own words. */
  readonly reason: string;
}

/** What a line of the file looks like, with what its writer probably meant. The first that fits counts. */
const mistakes: readonly (readonly [looks: RegExp, advice: string])[] = [
  [/[\u201c-\u201f\u00ab\u00bb\u2018-\u201b]/, 'typographic quotes; write straight ones: "…"'],
  [
    /[\u00a0\u2000-\u200f\u2028\u2029\ufeff]/,
    'a space that only looks like one, copied from a web page; delete it and type it again',
  ],
  [/^\s*[{}]/, 'this is JSON; write each setting as name = value on a line of its own'],
  [/^\s*[\w.-]+\s*:/, 'a colon; write name = value'],
  [/^\s*[\w.-]+\s+["'\w]/, 'an equals sign is missing; write name = value'],
  [/^\s*\[+[^\]]*$/, 'a closing bracket is missing'],
  [/=\s*(?:True|TRUE|False|FALSE)\s*(?:#.*)?$/, 'true and false have no capitals'],
  [/=\s*\d[\d.,]*\s*[a-z%]+\s*(?:#.*)?$/i, 'a number has no unit; write the number alone'],
  [/=\s*\d+(?:,\d+)+\s*(?:#.*)?$/, 'a number has no comma; write 6000, or 29.97'],
  [/=\s*[a-z/~][^"'#=]*(?:#.*)?$/i, 'text needs quotes: name = "text"'],
  [/^[^"#]*"[^"]*$|^[^'#"]*'[^']*$/, 'a closing quote is missing'],
  [/;\s*$/, 'a line does not end with a semicolon'],
  [/\/\//, 'a comment begins with #'],
  [/=\s*(?:#.*)?$/, 'a value is missing after the equals sign'],
];

/** What is wrong with a text that no parser accepts, and how to write it right. Pure. */
export function tomlMistake(text: string, { line, reason }: TomlStop, lines: TomlLines): string {
  const written = text.split(/\r\n|\r|\n/)[line - 1]?.slice(0, longestLine) ?? '';
  if (/already defined/.test(reason)) return twice(written, line, lines) ?? reason;
  if (!text.includes('\n') && text.includes('\r'))
    return 'line ends of an old Mac; save it with those of Unix or Windows';
  return mistakes.find(([looks]) => looks.test(written))?.[1] ?? reason;
}

/** A table or key that is there a second time. */
function twice(written: string, line: number, lines: TomlLines): string | null {
  const name = /^\s*\[*\s*([\w.-]+)/.exec(written)?.[1];
  if (name === undefined) return null;
  const isTable = /^\s*\[/.test(written);
  const first = isTable ? lines.lineOf(name.split('.')) : line;
  const where = first < line ? ` in line ${first}` : '';
  return isTable
    ? `[${name}] is already there${where}; put its settings together`
    : `${name} is already set; keep one of the two`;
}
