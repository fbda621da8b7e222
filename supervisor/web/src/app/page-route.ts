/** Where in the page the user is; it lives in the URL's fragment so that reload and the browser's back button work. */
export type PageRoute =
  | { readonly page: 'live'; readonly feed: string | null }
  | { readonly page: 'takes' }
  | { readonly page: 'cameras' }
  | { readonly page: 'system' };

const feedPattern = /^#\/feed\/([a-z0-9][a-z0-9_-]{0,62})$/;

/** Reads a fragment such as `#/feed/cam0`. Unknown ones lead to the grid. */
export const parseHash = (hash: string): PageRoute => {
  if (hash === '#/takes') return { page: 'takes' };
  if (hash === '#/cameras') return { page: 'cameras' };
  if (hash === '#/system') return { page: 'system' };
  return { page: 'live', feed: feedPattern.exec(hash)?.[1] ?? null };
};

/** The fragment of a route. */
export const toHash = (route: PageRoute): string => {
  if (route.page !== 'live') return `#/${route.page}`;
  return route.feed === null ? '#/' : `#/feed/${route.feed}`;
};

/** The key in `#token=…`, as the QR code carries it. */
export const tokenOfHash = (hash: string): string | null => {
  const token = new URLSearchParams(hash.replace(/^#/, '')).get('token')?.trim();
  return token === undefined || token === '' ? null : token;
};
