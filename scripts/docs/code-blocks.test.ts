import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../supervisor/config/parse.ts';
import { codeBlocks } from './code-blocks.ts';
import { findPages, root } from './pages.ts';

const pages = findPages().map(({ source }) => ({
  source,
  blocks: codeBlocks(readFileSync(join(root, source), 'utf8')),
}));

test('finds blocks with their info strings, also in lists', () => {
  const page = 'a\n```sh test\nls\n```\n1. b\n\n   ```toml\n   a = 1\n   ```\n```\nplain\n```\n';
  expect(codeBlocks(page)).toEqual([
    { language: 'sh', task: 'test', text: 'ls', line: 2 },
    { language: 'toml', task: null, text: 'a = 1', line: 7 },
    { language: '', task: null, text: 'plain', line: 10 },
  ]);
});

test('every block names a known language', () => {
  const tasks = pages.flatMap(({ source, blocks }) =>
    blocks.flatMap(({ language, task, line }) =>
      task === null ? [] : [`${source}:${line} ${language} ${task}`],
    ),
  );
  expect(tasks.length).toBeGreaterThan(5);
  expect(tasks.filter((task) => !/ (?:sh test|sh server|toml test=\S+)$/.test(task))).toEqual([]);
});

test('all settings shown on pages are valid', () => {
  const shown = pages.flatMap(({ source, blocks }) =>
    blocks.filter(({ language }) => language === 'toml').map((block) => ({ source, ...block })),
  );
  expect(shown.length).toBeGreaterThan(10);
  const wrong = shown.flatMap(({ source, line, text }) => {
    // A value that ends in an ellipsis is left out on purpose: the reader has it.
    const parsed = parseConfig(text.replace(/^.*…".*$/gm, ''));
    return parsed.ok ? [] : [`${source}:${line} ${parsed.problems.map(({ message }) => message).join('; ')}`];
  });
  expect(wrong).toEqual([]);
});
