import type { Middleware } from 'koa';

/**
 * Cross-origin use, only for WHIP and WHEP: players on other pages bring a token of their own (cookies are never accepted
 * cross-site), and must be able to read the protocols' headers.
 */
export function cors(): Middleware {
  return async (ctx, next) => {
    if (/^\/(?:whip|whep)\//.test(ctx.path)) {
      ctx.set('Access-Control-Allow-Origin', '*');
      ctx.set('Access-Control-Allow-Methods', 'GET, POST, PATCH, DELETE, OPTIONS');
      ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type, If-Match');
      ctx.set(
        'Access-Control-Expose-Headers',
        'Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After',
      );
      ctx.set('Access-Control-Max-Age', '600');
      // A browser asks about a session before it trickles or ends it; endpoints have an answer of their own.
      if (ctx.method === 'OPTIONS' && ctx.path.split('/').length > 3) {
        ctx.status = 204;
        ctx.set('Allow', 'GET, PATCH, DELETE, OPTIONS');
        ctx.set('Accept-Patch', 'application/trickle-ice-sdpfrag');
        return;
      }
    }
    await next();
  };
}
