// Search options of the manual: for the build, which makes the index, and for the pages, which read it.
/** @type {import('minisearch').Options} */
export const searchOptions = {
  fields: ['title', 'page', 'text'],
  storeFields: ['title', 'page', 'url', 'start'],
  searchOptions: {
    prefix: true,
    fuzzy: 0.15,
    combineWith: 'AND',
    boost: { title: 4, page: 2 },
    // Most people use the appliance; few change it.
    boostDocument: (_id, _term, stored) => (String(stored?.url).startsWith('contribute/') ? 0.3 : 1),
  },
};
