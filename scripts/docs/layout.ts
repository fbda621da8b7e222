import { posix } from 'node:path';
import type { PageText } from './markdown.ts';
import type { Page, Section } from './pages.ts';

/** What a page is laid out from. */
export interface LayoutInput {
  readonly page: Page;
  readonly text: PageText;
  readonly content: string;
  readonly sections: readonly Section[];
  readonly titleOf: (page: Page) => string;
  readonly version: string;
}

const html = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** One whole page. Nothing in it is inline code or style, so that the strictest policy shows it. */
export function layout({ page, text, content, sections, titleOf, version }: LayoutInput): string {
  const to = (target: string) => html(posix.relative(posix.dirname(page.target), target));
  const link = (other: Page) =>
    `<a href="${to(other.target)}"${other === page ? ' aria-current="page"' : ''}>${html(titleOf(other))}</a>`;
  const own = sections.find((section) => section.pages.includes(page));
  const order = sections.flatMap((section) => section.pages);
  const at = order.indexOf(page);
  const neighbour = (other: Page | undefined, kind: string) =>
    other === undefined ? '' : `<div class="${kind}">${link(other)}</div>`;
  const parts = text.headings.filter(({ level }) => level === 2);
  const contents = parts.map(({ id, text: title }) => `<li><a href="#${html(id)}">${html(title)}</a></li>`);
  const menu = sections.map(
    (section) => `<details${section === own || own === undefined ? ' open' : ''}>
<summary>${html(section.title)}</summary>
<ul>${section.pages.map((other) => `<li>${link(other)}</li>`).join('')}</ul>
</details>`,
  );
  const isStart = page.target === 'index.html';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<meta name="referrer" content="no-referrer">
<title>${isStart ? 'Rushlight: the manual' : `${html(text.title)} – Rushlight`}</title>
<link rel="icon" href="${to('assets/icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${to('assets/site.css')}">
<script type="module" src="${to('assets/site.js')}" data-top="${to('index.html').replace(/index\.html$/, '')}"></script>
</head>
<body${isStart ? ' class="start"' : ''}>
<a class="skip" href="#content">Skip to the text</a>
<header class="top">
<a class="brand" href="${to('index.html')}"><img src="${to('assets/icon.svg')}" alt="" width="28" height="28">Rushlight <span>manual</span></a>
<search class="search" hidden>
<input type="search" placeholder="Search the manual" aria-label="Search the manual" autocomplete="off" spellcheck="false">
<div class="results" hidden></div>
</search>
</header>
<div class="page">
<nav class="menu" aria-label="All pages"><details class="menu-all"><summary>All pages</summary></details><div class="menu-list">
${menu.join('\n')}
</div></nav>
<main id="content" tabindex="-1">
<article>
${own === undefined ? '' : `<p class="section">${html(own.title)}</p>`}
${content}
</article>
<footer>
<nav class="neighbours" aria-label="Next and previous page">${neighbour(order[at - 1], 'previous')}${neighbour(order[at + 1], 'next')}</nav>
<p>Rushlight ${html(version)}, Apache-2.0. This copy needs no internet.</p>
</footer>
</main>
${contents.length < 2 ? '' : `<nav class="contents" aria-label="On this page"><p>On this page</p><ul>${contents.join('')}</ul></nav>`}
</div>
</body>
</html>
`;
}
