import type { Context, Middleware } from 'koa';
import type { Logger } from 'pino';
import { problemOf } from '../problem-of.ts';
import { takesPassword } from './access.ts';

/** Outermost middleware: everything thrown below becomes an RFC 9457 problem. */
export function problems(log: Logger): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const { problem, retryAfterS, unexpected } = problemOf(error, ctx.path);
      if (unexpected) log.error({ err: error, method: ctx.method, path: ctx.path }, 'request failed');
      ctx.status = problem.status;
      if (retryAfterS !== null) ctx.set('Retry-After', String(retryAfterS));
      if (problem.status === 401) ctx.set('WWW-Authenticate', challengesFor(ctx));
      ctx.body = JSON.stringify(problem);
      ctx.type = 'application/problem+json';
    }
  };
}

/** Players are asked for a password. Pages are not: the browser would open its own window over them. */
function challengesFor(ctx: Context): string[] {
  const byPage = ctx.get('User-Agent').startsWith('Mozilla/') && !ctx.get('Accept').includes('text/html');
  const password = takesPassword(ctx.path) && !byPage ? ['Basic realm="rushlight", charset="UTF-8"'] : [];
  return ['Bearer realm="rushlight"', ...password];
}
