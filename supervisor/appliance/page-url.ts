import type { Reach } from './http-service.ts';

/** The page's address on a host, as it is served: by HTTPS where there is HTTPS. Pure. */
export function pageUrl(host: string, { port, tlsPort }: Pick<Reach, 'port' | 'tlsPort'>): string {
  const [scheme, usual, own] =
    tlsPort === null ? (['http', 80, port] as const) : (['https', 443, tlsPort] as const);
  return `${scheme}://${host}${own === usual || own === null ? '' : `:${own}`}/`;
}
