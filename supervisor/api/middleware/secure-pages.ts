import type { Middleware } from 'koa';
import { type AccessOptions, isInTheClear, secureUrl } from './access.ts';

/** A page opened without HTTPS is redirected to HTTPS, if there is HTTPS, before anyone types a key into it. */
export function securePages(access: Pick<AccessOptions, 'tlsPort'>): Middleware {
  return async (ctx, next) => {
    const { tlsPort = null } = access;
    const isPage = ctx.method === 'GET' && ctx.get('Accept').includes('text/html') && ctx.get('Host') !== '';
    if (tlsPort === null || !isPage || !isInTheClear(ctx.req)) return await next();
    ctx.set('Cache-Control', 'no-store');
    ctx.status = 307;
    ctx.redirect(secureUrl(ctx.req, tlsPort));
  };
}
