import type { Middleware } from 'koa';
import type { Logger } from 'pino';
import { problemOf } from '../problem-of.ts';

/** Outermost middleware: whatever is thrown below leaves as an RFC 9457 problem. */
export function problems(log: Logger): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const { problem, retryAfterS, unexpected } = problemOf(error, ctx.path);
      if (unexpected) log.error({ err: error, method: ctx.method, path: ctx.path }, 'request failed');
      ctx.status = problem.status;
      if (retryAfterS !== null) ctx.set('Retry-After', String(retryAfterS));
      if (problem.status === 401) ctx.set('WWW-Authenticate', 'Bearer realm="rushlight"');
      ctx.body = JSON.stringify(problem);
      ctx.type = 'application/problem+json';
    }
  };
}
