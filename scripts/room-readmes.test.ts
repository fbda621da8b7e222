import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rules } from './import-rules.ts';

const root = join(import.meta.dirname, '..');
const rooms = Object.keys(rules).filter((room) => statSync(join(root, room)).isDirectory());

/** What is written in backticks. */
const quoted = (text: string) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, word = '']) => word);

describe.each(rooms)('the README of %s', (room) => {
  const file = join(root, room, 'README.md');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';

  test('names files that exist', () => {
    expect(text.split('\n')[0]).toMatch(/^# ./);
    const inRoom = readdirSync(join(root, room), { recursive: true, encoding: 'utf8' });
    const isThere = (name: string) =>
      existsSync(join(root, name)) || inRoom.some((path) => path === name || path.endsWith(`/${name}`));
    const files = quoted(text).filter((word) => /^[\w/-]+\.tsx?$/.test(word));
    expect(files.filter((name) => !isThere(name))).toEqual([]);
  });

  test('says what the room may import, as the rules do', () => {
    const list = /^May import: ([\s\S]*?)\.\n/m.exec(text)?.[1] ?? '';
    expect(quoted(list).toSorted()).toEqual([...new Set(rules[room])].toSorted());
  });
});

test('ARCHITECTURE.md names only files that exist', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const paths = quoted(text).filter((word) => /^[\w-]+\/[\w./-]+\.(?:ts|tsx|mjs|md)$/.test(word));
  expect(paths.length).toBeGreaterThan(30);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
