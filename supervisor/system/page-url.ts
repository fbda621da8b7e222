import type { Reach } from './reach.ts';

/** The page's address on a host, as it is served: by HTTPS where there is HTTPS. Pure. */
export function pageUrl(host: string, { port, tlsPort }: Pick<Reach, 'port' | 'tlsPort'>): string {
  const [scheme, usual, own] =
    tlsPort === null ? (['http', 80, port] as const) : (['https', 443, tlsPort] as const);
  return `${scheme}://${host}${own === usual || own === null ? '' : `:${own}`}/`;
}

/**
 * Where a browser on the network finds the page: by name, or by the address that it listens on where it listens on no
 * other. Null where nobody outside is answered. Pure.
 */
export function publicPageUrl(name: string, reach: Reach | null): string | null {
  if (reach === null || !reach.outside) return null;
  if (reach.port === null && reach.tlsPort === null) return null;
  const { address } = reach;
  const host = address === null ? `${name}.local` : address.includes(':') ? `[${address}]` : address;
  return pageUrl(host, reach);
}
