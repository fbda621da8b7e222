import type { KeyPath } from './key-path.ts';

/** Finds the line of a setting in a TOML text. */
export interface TomlLines {
  /** The line (from 1) of the setting; if the text does not contain it, the line of the nearest table around it. */
  lineOf(path: KeyPath): number;
}

/**
 * Finds the lines of all keys of a TOML 1.0 text that a parser has accepted; the parser keeps no positions. For other texts it
 * returns something, and always ends.
 */
export function locateTomlKeys(text: string): TomlLines {
  const scanner = new TomlScanner(text);
  scanner.scan();
  return {
    lineOf(path) {
      for (let length = path.length; length > 0; length -= 1) {
        const line = scanner.lines.get(pathId(path.slice(0, length)));
        if (line !== undefined) return line;
      }
      return 1;
    },
  };
}

function pathId(path: KeyPath): string {
  return JSON.stringify(path);
}

class TomlScanner {
  readonly lines = new Map<string, number>();
  readonly #text: string;
  #position = 0;
  #line = 1;
  #table: KeyPath = [];
  readonly #arrayLengths = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  scan(): void {
    for (;;) {
      this.#skipBlank(true);
      if (this.#position >= this.#text.length) return;
      const before = this.#position;
      if (this.#peek() === '[') this.#header();
      else this.#keyValue(this.#table);
      if (this.#position === before) this.#advance();
    }
  }

  #header(): void {
    const isArray = this.#text.startsWith('[[', this.#position);
    this.#position += isArray ? 2 : 1;
    const parts = this.#key();
    const path: (string | number)[] = [];
    for (const [index, part] of parts.entries()) {
      path.push(part);
      this.#note(path);
      const id = pathId(path);
      const length = this.#arrayLengths.get(id);
      const isLast = index === parts.length - 1;
      if (isLast && isArray) {
        this.#arrayLengths.set(id, (length ?? 0) + 1);
        path.push(length ?? 0);
      } else if (length !== undefined) {
        path.push(length - 1);
      }
      this.#note(path);
    }
    this.#table = path;
    while (this.#peek() === ']') this.#position += 1;
  }

  #keyValue(table: KeyPath): void {
    const path = [...table];
    for (const part of this.#key()) {
      path.push(part);
      this.#note(path);
    }
    if (this.#peek() !== '=') return;
    this.#position += 1;
    this.#skipBlank(false);
    this.#value(path);
  }

  /** A dotted key, bare or quoted. */
  #key(): string[] {
    const parts: string[] = [];
    for (;;) {
      this.#skipBlank(false);
      const quote = this.#peek();
      if (quote === '"' || quote === "'") parts.push(this.#quotedKey(quote));
      else parts.push(this.#take(/[A-Za-z0-9_-]*/y));
      this.#skipBlank(false);
      if (this.#peek() !== '.') return parts;
      this.#position += 1;
    }
  }

  #quotedKey(quote: string): string {
    const start = this.#position;
    this.#string(quote);
    const raw = this.#text.slice(start, this.#position);
    if (quote === "'") return raw.slice(1, -1);
    try {
      return String(JSON.parse(raw));
    } catch {
      // TOML has escapes that JSON does not have (\U0001F600); such a key is found by the table around it.
      return raw;
    }
  }

  #value(path: KeyPath): void {
    const first = this.#peek();
    if (first === '"' || first === "'") this.#string(first);
    else if (first === '[') this.#array(path);
    else if (first === '{') this.#inlineTable(path);
    else this.#take(/[^,\]}#\n]*/y);
  }

  #array(path: KeyPath): void {
    this.#position += 1;
    for (let index = 0; ; index += 1) {
      this.#skipBlank(true);
      if (this.#position >= this.#text.length || this.#peek() === ']') break;
      const before = this.#position;
      this.#note([...path, index]);
      this.#value([...path, index]);
      this.#skipBlank(true);
      if (this.#peek() === ',') this.#position += 1;
      if (this.#position === before) this.#advance();
    }
    this.#position += 1;
  }

  #inlineTable(path: KeyPath): void {
    this.#position += 1;
    for (;;) {
      this.#skipBlank(true);
      if (this.#position >= this.#text.length || this.#peek() === '}') break;
      const before = this.#position;
      this.#keyValue(path);
      this.#skipBlank(true);
      if (this.#peek() === ',') this.#position += 1;
      if (this.#position === before) this.#advance();
    }
    this.#position += 1;
  }

  #string(quote: string): void {
    const triple = quote.repeat(3);
    const isTriple = this.#text.startsWith(triple, this.#position);
    const end = isTriple ? triple : quote;
    this.#position += end.length;
    while (this.#position < this.#text.length && !this.#text.startsWith(end, this.#position)) {
      if (quote === '"' && this.#peek() === '\\') this.#advance();
      this.#advance();
    }
    this.#position += end.length;
    // Up to two quotes may come right before the closing three.
    for (let extra = 0; isTriple && extra < 2 && this.#peek() === quote; extra += 1) this.#position += 1;
  }

  #skipBlank(acrossLines: boolean): void {
    for (;;) {
      this.#take(acrossLines ? /[ \t\r\n]*/y : /[ \t]*/y);
      if (!acrossLines || this.#peek() !== '#') return;
      this.#take(/[^\n]*/y);
    }
  }

  #note(path: KeyPath): void {
    const id = pathId(path);
    if (!this.lines.has(id)) this.lines.set(id, this.#line);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const taken = pattern.exec(this.#text)?.[0] ?? '';
    this.#position += taken.length;
    for (const character of taken) if (character === '\n') this.#line += 1;
    return taken;
  }

  #advance(): void {
    if (this.#peek() === '\n') this.#line += 1;
    this.#position += 1;
  }

  #peek(): string | undefined {
    return this.#text[this.#position];
  }
}
