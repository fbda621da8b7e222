import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { anchorsInOrder } from './docs/headings.ts';

const root = join(import.meta.dirname, '..');
/** What builds, tests and runs make; a fresh clone does not have it. */
const made = /^(image\/(cache|out)|hil-tests\/report|supervisor\/web\/dist|data|build|dist)(\/|$)/;
const folders = readdirSync(root).filter((name) => statSync(join(root, name)).isDirectory());
const pages = [
  ...readdirSync(root),
  ...['docs', 'setups'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => `${folder}/${name}`),
  ),
]
  .map(String)
  .filter((name) => name.endsWith('.md'));

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** The text without fenced blocks and, where asked, without code spans. */
const prose = (page: string): string =>
  readFileSync(join(root, page), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');

/** Relative links of a page: `[text](target)`. */
const linksOf = (text: string): string[] =>
  [...text.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));

/** File paths in code spans that begin with a folder of the repository. Patterns and placeholders are left out. */
const pathsOf = (text: string): string[] =>
  [...text.matchAll(/`([\w.@-]+(?:\/[\w.@-]+)+\/?)`/g)]
    .map(([, path = '']) => path)
    .filter((path) => folders.includes(path.split('/')[0] ?? '') && !made.test(path));

/** The anchors of a page's headings, as forges make them. */
const anchorsOf = (page: string): string[] =>
  anchorsInOrder([...prose(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => heading));

const deadLinks = (page: string, text: string): string[] =>
  linksOf(text).filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? join(root, page) : join(root, dirname(page), file);
    if (!exists(target)) return true;
    return anchor !== undefined && !anchorsOf(relative(root, target)).includes(anchor);
  });

/** Scripts and code of the repository. */
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name === 'node_modules' || entry.name === '.git' || made.test(relative(root, path))) return [];
    if (entry.isDirectory()) return filesOf(path);
    const isText = /^[^.]+$|\.(ts|tsx|mjs|sh|service|pl)$/.test(entry.name);
    return entry.isFile() && isText ? [path] : [];
  });

test('the check finds dead links and paths', () => {
  expect(
    deadLinks('README.md', '[a](docs/none.md) [b](README.md#nowhere) [c](LICENSE) [d](https://e.org)'),
  ).toEqual(['docs/none.md', 'README.md#nowhere']);
  expect(pathsOf('`docs/none.md` `image/cache/keys` `/etc/passwd` `scripts/<x>.ts`')).toEqual([
    'docs/none.md',
  ]);
});

test.each(pages)('%s: every relative link has a target', (page) => {
  expect(deadLinks(page, prose(page))).toEqual([]);
});

test.each(pages)('%s: every file it names exists', (page) => {
  expect(pathsOf(prose(page)).filter((path) => !exists(join(root, path)))).toEqual([]);
});

test('docs/reference/environment.md names every variable that the code reads', () => {
  const table = readFileSync(join(root, 'docs/reference/environment.md'), 'utf8');
  const read = new Set(
    filesOf(root).flatMap((file) => readFileSync(file, 'utf8').match(/RUSHLIGHT_[A-Z_]+/g) ?? []),
  );
  expect(read.size).toBeGreaterThan(20);
  expect([...read].filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
});

test('the README leads to every page below docs and setups', () => {
  const reached = new Set<string>(['README.md']);
  for (const page of reached) {
    for (const link of linksOf(prose(page))) {
      const target = relative(root, join(root, dirname(page), link.split('#')[0] ?? ''));
      if (target.endsWith('.md') && exists(join(root, target))) reached.add(target);
    }
  }
  expect(pages.filter((page) => /^(?:docs|setups)\//.test(page) && !reached.has(page))).toEqual([]);
});
