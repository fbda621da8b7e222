// The pages of the site, with their places in the repository and in the site.
import { readdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** The repository's folder. */
export const root = dirname(dirname(import.meta.dirname));

/** A page of the manual. */
export interface Page {
  /** In the repository: `docs/use/cameras.md`. */
  readonly source: string;
  /** In the site: `use/cameras.html`. */
  readonly target: string;
}

/** A section of the manual. */
export interface Section {
  readonly title: string;
  readonly pages: readonly Page[];
}

/** Pages outside the folders of their sections, and where they are shown. */
const elsewhere: Readonly<Record<string, string>> = {
  'CONTRIBUTING.md': 'contribute/contributing.html',
  'ARCHITECTURE.md': 'contribute/architecture.html',
  'CHANGELOG.md': 'operate/changelog.html',
  'SECURITY.md': 'operate/report-a-problem.html',
  'docs/conformance.md': 'contribute/conformance.html',
  'docs/hardware-checklist.md': 'contribute/hardware-checklist.html',
  'media/datapath/native/README.md': 'contribute/native-datapath.html',
};

/** The order of sections and pages: a name may be of no page, and a page that is not named follows after the others of its folder. */
const menu: readonly {
  readonly title: string;
  readonly folder: string;
  readonly first: readonly string[];
}[] = [
  {
    title: 'Get started',
    folder: 'get-started',
    first: [
      'docs/get-started/flash-and-boot.md',
      'docs/get-started/debian-package.md',
      'docs/get-started/container.md',
      'docs/get-started/laptop.md',
      'docs/get-started/virtual-image.md',
    ],
  },
  {
    title: 'Use',
    folder: 'use',
    first: [
      'docs/use/roles.md',
      'docs/use/cameras.md',
      'docs/use/watching.md',
      'docs/use/recording.md',
      'docs/use/delivering.md',
      'docs/use/tally.md',
      'docs/use/publishing.md',
      'docs/use/outputs.md',
      'docs/use/layers.md',
      'docs/use/clients.md',
      'docs/use/jpeg-agent.md',
      'docs/use/home-assistant.md',
    ],
  },
  {
    title: 'Setups',
    folder: 'setups',
    first: [
      'setups/README.md',
      'setups/single-box/README.md',
      'setups/usb-hub/README.md',
      'setups/distributed/README.md',
      'setups/cluster/README.md',
    ],
  },
  {
    title: 'Operate',
    folder: 'operate',
    first: [
      'docs/operate/updates.md',
      'docs/operate/upgrade.md',
      'docs/operate/release.md',
      'docs/operate/security.md',
      'docs/operate/troubleshooting.md',
      'docs/operate/backups.md',
      'docs/operate/time.md',
    ],
  },
  {
    title: 'Reference',
    folder: 'reference',
    first: [
      'docs/reference/config.md',
      'docs/reference/api.md',
      'docs/reference/mqtt.md',
      'docs/reference/metrics.md',
      'docs/reference/environment.md',
      'docs/reference/command-line.md',
      'docs/reference/image.md',
    ],
  },
  {
    title: 'Contribute',
    folder: 'contribute',
    first: [
      'CONTRIBUTING.md',
      'ARCHITECTURE.md',
      'docs/contribute/recipes.md',
      'docs/contribute/documentation.md',
    ],
  },
];

/** Every page of the repository that the site shows. */
export function findPages(): Page[] {
  const below = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((name) => `${folder}/${String(name)}`)
      .filter((path) => path.endsWith('.md'));
  return [...new Set([...below('docs'), ...below('setups'), ...Object.keys(elsewhere)])]
    .sort()
    .map((source) => ({ source, target: targetOf(source) }));
}

/** `docs/use/cameras.md` is `use/cameras.html`; a README is the index of its folder. */
export function targetOf(source: string): string {
  const fixed = elsewhere[source];
  if (fixed !== undefined) return fixed;
  return source
    .replace(/^docs\//, '')
    .replace(/README\.md$/, 'index.html')
    .replace(/\.md$/, '.html');
}

/** The menu: all pages but the start page, each once. */
export function sectionsOf(pages: readonly Page[]): Section[] {
  const folderOf = (page: Page) => (page.target.includes('/') ? page.target.split('/')[0] : '');
  const sections = menu.map(({ title, folder, first }) => {
    const place = ({ source }: Page) => (first.includes(source) ? first.indexOf(source) : first.length);
    const own = pages.filter((page) => folderOf(page) === folder);
    return { title, pages: own.sort((a, b) => place(a) - place(b)) };
  });
  const shown = new Set(sections.flatMap((section) => section.pages));
  const rest = pages.filter((page) => !shown.has(page) && page.target !== 'index.html');
  return [...sections, { title: 'More', pages: rest }].filter((section) => section.pages.length > 0);
}

/**
 * Where a link of a page leads in the site, relative to the page; null: to something that the site does not have, such as
 * source code. `files` are the files that are copied into the site, by their place in the repository.
 */
export function linkInSite(
  page: Page,
  link: string,
  pages: readonly Page[],
  files: ReadonlyMap<string, string>,
): string | null {
  if (/^(?:[a-z]+:|#)/.test(link)) return link;
  const [path = '', anchor] = link.split('#');
  const source = posix.normalize(posix.join(posix.dirname(page.source), path)).replace(/\/$/, '');
  // The front page of a forge is the start page here, with other headings.
  if (source === 'README.md') return posix.relative(posix.dirname(page.target), 'index.html');
  const found =
    pages.find((other) => other.source === source || other.source === `${source}/README.md`)?.target ??
    files.get(source);
  if (found === undefined) return null;
  const relative = posix.relative(posix.dirname(page.target), found);
  return anchor === undefined ? relative : `${relative}#${anchor}`;
}
