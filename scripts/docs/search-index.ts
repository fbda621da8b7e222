import MiniSearch from 'minisearch';
import { searchOptions } from './assets/search-options.js';
import type { PageText } from './markdown.ts';
import type { Page } from './pages.ts';

/** One entry for each heading. `assets/site.js` reads the index with the same options. */
export function searchIndex(pages: readonly Page[], textOf: (page: Page) => PageText): string {
  const search = new MiniSearch(searchOptions);
  let id = 0;
  for (const page of pages) {
    const { title, sections } = textOf(page);
    for (const section of sections) {
      id += 1;
      const url = section.title === title ? page.target : `${page.target}#${section.id}`;
      search.add({ ...section, id, page: title, url, start: section.text.slice(0, 140) });
    }
  }
  return JSON.stringify(search);
}
