import type { Reach } from './reach.ts';

/** The page's address on a host, as it is served: by HTTPS if there is HTTPS. Pure. */
export function pageUrl(host: string, { port, tlsPort }: Pick<Reach, 'port' | 'tlsPort'>): string {
  const [scheme, usual, own] =
    tlsPort === null ? (['http', 80, port] as const) : (['https', 443, tlsPort] as const);
  return `${scheme}://${host}${own === usual || own === null ? '' : `:${own}`}/`;
}

/**
 * Where a browser on the network finds the page: by name, or by the address if it listens on only one. Null if no one outside
 * gets an answer. Pure.
 */
export function publicPageUrl(name: string, reach: Reach | null): string | null {
  if (reach === null || !reach.outside) return null;
  if (reach.port === null && reach.tlsPort === null) return null;
  const { address } = reach;
  const host = address === null ? `${name}.local` : address.includes(':') ? `[${address}]` : address;
  return pageUrl(host, reach);
}
