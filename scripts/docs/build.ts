// Builds the manual as a site: `npm run docs`. Every file of it is found by a relative address, so it works at any place.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Eleventy, type UserConfig } from '@11ty/eleventy';
import { layout } from './layout.ts';
import { type PageText, siteMarkdown } from './markdown.ts';
import { findPages, linkInSite, type Page, root, sectionsOf } from './pages.ts';
import { searchIndex } from './search-index.ts';

const assets = join(import.meta.dirname, 'assets');

/** Where the site goes. */
export interface BuildOptions {
  readonly out: string;
  /** Port of a server that builds again whenever a page changes; null: build once. */
  readonly port: number | null;
}

/** Builds the site. */
export async function buildSite({ out, port }: BuildOptions): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const pages = findPages();
  const sections = sectionsOf(pages);
  const files = filesBeside();
  const texts = new Map<string, PageText>();
  const bySource = new Map(pages.map((page) => [page.source, page]));
  /** Eleventy names an input relative to the folder where it was started. */
  const pageAt = (inputPath: string): Page => {
    const page = bySource.get(relative(root, resolve(inputPath)).replace(guests, ''));
    if (page === undefined) throw new Error(`${inputPath} is no page of the manual`);
    return page;
  };
  const textOf = (page: Page) => texts.get(page.source) ?? emptyText;
  const markdown = siteMarkdown({
    rewrite: (inputPath, link) => linkInSite(pageAt(inputPath), link, pages, files),
    read: (inputPath, text) => texts.set(pageAt(inputPath).source, text),
  });
  // Every page shows the titles of all, also of those that come later.
  for (const { source } of pages) markdown.render(read(source), { page: { inputPath: join(root, source) } });
  const config = (eleventy: UserConfig) => {
    eleventy.setUseGitIgnore(false);
    eleventy.setLibrary('md', markdown);
    for (const { source } of pages.filter((page) => !page.source.startsWith('docs/'))) {
      eleventy.addTemplate(`guests/${source}`, read(source));
    }
    eleventy.addGlobalData(
      'permalink',
      () => (data: { page: { inputPath: string } }) => pageAt(data.page.inputPath).target,
    );
    eleventy.addTransform('layout', function (content) {
      const page = pageAt(this.page.inputPath);
      return layout({
        page,
        text: textOf(page),
        content,
        sections,
        titleOf: (other) => textOf(other).title,
        version,
      });
    });
    eleventy.addWatchTarget(assets);
    eleventy.on('eleventy.after', () => copyAssets(out, files, searchIndex(pages, textOf)));
    eleventy.setServerOptions({ port, showAllHosts: false });
    return { markdownTemplateEngine: false, templateFormats: ['md'] };
  };
  rmSync(out, { recursive: true, force: true });
  const site = new Eleventy(join(root, 'docs'), out, {
    quietMode: true,
    runMode: port === null ? 'build' : 'serve',
    configPath: null,
    config,
  });
  await site.init();
  if (port === null) {
    await site.write();
    return;
  }
  await site.watch();
  await site.serve(port);
}

/** Eleventy takes pages from one folder. Pages from elsewhere are its guests. */
const guests = /^docs\/guests\//;

const read = (source: string): string => readFileSync(join(root, source), 'utf8');

const emptyText: PageText = { title: '', headings: [], sections: [] };

/** Files that pages lead to: pictures, examples, files of setups. Keys are places in the repository, values places in the site. */
function filesBeside(): Map<string, string> {
  const found = ['docs', 'setups'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\.(?:md|ts)$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  );
  return new Map(found.map((path) => [path, path.replace(/^docs\//, '')]));
}

function copyAssets(out: string, files: ReadonlyMap<string, string>, index: string): void {
  const copies = [
    ...[...files].map(([source, target]) => [join(root, source), target] as const),
    [join(root, 'supervisor/web/src/icon.svg'), 'assets/icon.svg'],
    [join(root, 'node_modules/minisearch/dist/es/index.js'), 'assets/minisearch.js'],
    ...['site.css', 'site.js', 'search-options.js'].map(
      (name) => [join(assets, name), `assets/${name}`] as const,
    ),
  ] as const;
  for (const [source, target] of copies) {
    mkdirSync(dirname(join(out, target)), { recursive: true });
    cpSync(source, join(out, target));
  }
  writeFileSync(join(out, 'assets/search.json'), index);
}
