import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import MiniSearch from 'minisearch';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { searchOptions } from './assets/search-options.js';
import { buildSite } from './build.ts';
import { anchorsInOrder } from './headings.ts';
import { siteMarkdown } from './markdown.ts';
import { findPages, linkInSite, type Page, sectionsOf } from './pages.ts';

let out = '';
/** The built pages by their address. */
const built = new Map<string, string>();

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'rushlight-site-'));
  await buildSite({ out, port: null });
  for (const name of await readdir(out, { recursive: true })) {
    if (name.endsWith('.html')) built.set(name, await readFile(join(out, name), 'utf8'));
  }
});

afterAll(async () => {
  await rm(out, { recursive: true });
});

const attribute = (html: string, name: string): string[] =>
  [...html.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g'))].map(([, value = '']) => value);

/** Addresses on a page that lead nowhere within the site. */
const deadLinks = (page: string, html: string): string[] =>
  [...attribute(html, 'href'), ...attribute(html, 'src')].filter((link) => {
    if (/^(?:https?|mailto|rtsp):/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const file = join(out, dirname(page), path === '' ? page.slice(page.lastIndexOf('/') + 1) : path);
    if (!existsSync(file)) return true;
    const target = built.get(relative(out, file));
    return anchor !== undefined && anchor !== 'content' && !attribute(target ?? '', 'id').includes(anchor);
  });

describe('the site', () => {
  test('has every page of the repository, each in the menu of every page', () => {
    const pages = findPages();
    expect([...built.keys()].sort()).toEqual(pages.map(({ target }) => target).sort());
    const inMenu = sectionsOf(pages).flatMap((section) => section.pages);
    expect(new Set(inMenu).size).toBe(pages.length - 1);
    expect(inMenu).toHaveLength(pages.length - 1);
  });

  test('has no dead link, picture or anchor', () => {
    const dead = [...built].flatMap(([page, html]) =>
      deadLinks(page, html).map((link) => `${page}: ${link}`),
    );
    expect(dead).toEqual([]);
    expect(
      deadLinks('index.html', '<a href="none.html">, <img src="x.png">, <a href="#nowhere">'),
    ).toHaveLength(3);
  });

  test('works without the internet under a policy that allows nothing inline', () => {
    for (const [page, html] of built) {
      expect(html.match(/<script(?![^>]* src=)|<style| style="| on[a-z]+="/g), page).toBeNull();
      const loaded = [...html.matchAll(/<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"/g)];
      expect(
        loaded.filter(([, address = '']) => /^(?:[a-z]+:)?\/\//.test(address)),
        page,
      ).toEqual([]);
    }
  });

  test('shows every word: nothing on a page was mistaken for a tag', () => {
    const tags = [...built.values()].flatMap((html) =>
      [...html.matchAll(/<([a-z][\w-]*)/g)].map(([, tag]) => tag),
    );
    const known =
      'a article blockquote body br code details div em footer h1 h2 h3 h4 head header hr html img input li link main meta nav ol p pre s script search span small strong summary table tbody td th thead title tr ul';
    expect([...new Set(tags)].filter((tag) => !known.split(' ').includes(tag ?? ''))).toEqual([]);
  });

  test('finds pages by their words', async () => {
    const index = MiniSearch.loadJSON(await readFile(join(out, 'assets/search.json'), 'utf8'), searchOptions);
    const urls = (words: string) => index.search(words).map(({ url }) => String(url));
    expect(urls('reserve_mb')).toContain('reference/config.html#masters');
    expect(urls('power cut trial commit')[0]).toContain('operate/updates.html');
    for (const url of urls('hub')) expect(deadLinks('index.html', `<a href="${url}">`), url).toEqual([]);
  });
});

const page = (source: string, target: string): Page => ({ source, target });

test('links lead to the same page in the site, and links to source code are dropped', () => {
  const pages = [
    page('docs/README.md', 'index.html'),
    page('docs/use/cameras.md', 'use/cameras.html'),
    page('docs/contribute/decisions/README.md', 'contribute/decisions/index.html'),
    page('CHANGELOG.md', 'operate/changelog.html'),
  ];
  const files = new Map([['docs/reference/grafana.json', 'reference/grafana.json']]);
  const from = page('docs/use/cameras.md', 'use/cameras.html');
  const at = (link: string) => linkInSite(from, link, pages, files);
  expect(at('../../CHANGELOG.md#fixed')).toBe('../operate/changelog.html#fixed');
  expect(at('../../README.md')).toBe('../index.html');
  expect(at('../contribute/decisions')).toBe('../contribute/decisions/index.html');
  expect(at('../reference/grafana.json')).toBe('../reference/grafana.json');
  expect(at('#forget')).toBe('#forget');
  expect(at('https://example.org/x.md')).toBe('https://example.org/x.md');
  expect(at('../../media/index.ts')).toBeNull();
});

test('a page missing from the menu appears with its folder or under More', () => {
  const sections = sectionsOf([
    page('docs/README.md', 'index.html'),
    page('docs/use/new.md', 'use/new.html'),
    page('docs/use/roles.md', 'use/roles.html'),
    page('docs/stray.md', 'stray.html'),
  ]);
  expect(sections.map(({ title, pages }) => [title, ...pages.map(({ target }) => target)])).toEqual([
    ['Use', 'use/roles.html', 'use/new.html'],
    ['More', 'stray.html'],
  ]);
});

test('Markdown keeps text, drops comments and dead links, and has no style attribute', () => {
  const seen: string[] = [];
  const markdown = siteMarkdown({
    rewrite: (_page, link) => (link === 'gone.ts' ? null : link),
    read: (_page, { headings }) => seen.push(...headings.map(({ id }) => id)),
  });
  const html = markdown.render(
    '# A `b` & c\n\n<!-- made -->\n\n## Twice\n\n[code](gone.ts) [page](x.md)\n\n## Twice\n\n| a |\n| ---: |\n| 1 |\n\n```sh test\nls <x>\n```\n',
    { page: { inputPath: 'x.md' } },
  );
  expect(seen).toEqual(['a-b--c', 'twice', 'twice-1']);
  expect(html).toContain('<p>code <a href="x.md">page</a></p>');
  expect(html).toContain('class="align-right"');
  expect(html).toContain('ls &lt;x&gt;');
  expect(html).not.toMatch(/made|style=|<!--/);
});

test('anchors match those of the forges', () => {
  expect(anchorsInOrder(['What “it” does: now!', 'A_b', 'A_b'])).toEqual([
    'what-it-does-now',
    'a_b',
    'a_b-1',
  ]);
});
