import { Stream } from 'node:stream';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { z } from 'zod';
import type { RawBody, RouteDefinition, RouteId, Routes } from '../contract/index.ts';
import { isRawBody, routes } from '../contract/index.ts';
import type { Caller } from '../contract/ports.ts';
import type { KeyedWork } from './access/keyed-work.ts';
import { RateLimiter } from './access/rate-limiter.ts';
import { ApiError } from './api-error.ts';
import type { AccessOptions } from './middleware/access.ts';
import { checkAccess } from './middleware/access.ts';
import { jsonBody, textBody } from './middleware/request-body.ts';
import { issuesOf } from './problem-of.ts';

type SchemaOutput<S> = S extends z.ZodType ? z.output<S> : Record<string, never>;
type BodyInput<B> = B extends z.ZodType ? z.output<B> : B extends RawBody ? string : undefined;
type Field<R, K extends string> = R extends Readonly<Record<K, infer V>> ? V : undefined;
type Answer<R> =
  Field<R, 'response'> extends z.ZodType ? z.input<Field<R, 'response'> & z.ZodType> : undefined | string;

/** A request that passed its access check and its schemas. */
export interface RouteRequest<Id extends RouteId> {
  readonly params: SchemaOutput<Field<Routes[Id], 'params'>>;
  readonly query: SchemaOutput<Field<Routes[Id], 'query'>>;
  readonly body: BodyInput<Field<Routes[Id], 'body'>>;
  readonly caller: Caller;
}

/**
 * Answers one route. Its return value becomes the body; it may set headers on `ctx`, and a route with a streamed answer sets
 * `ctx.body` itself and returns nothing.
 */
export type RouteHandler<Id extends RouteId> = (
  request: RouteRequest<Id>,
  ctx: Context,
) => Promise<Answer<Routes[Id]>> | Answer<Routes[Id]>;

/** Ids of the routes that are not WebSockets. */
export type PlainRouteId = { [Id in RouteId]: Routes[Id] extends { websocket: true } ? never : Id }[RouteId];
/** One handler for each plain route of the contract: a missing one does not compile. */
export type RouteHandlers = { readonly [Id in PlainRouteId]: RouteHandler<Id> };

/** All plain routes of the contract, each behind its access check and its schemas. */
export function buildRouter(handlers: RouteHandlers, access: AccessOptions, work: KeyedWork): Middleware[] {
  const router = new Router({ exclusive: false });
  const rates = new RateLimiter();
  for (const [id, route] of Object.entries<RouteDefinition>(routes)) {
    if (route.websocket === true) continue;
    const handler = handlers[id as PlainRouteId] as unknown as AnyHandler;
    router.register(route.path, [route.method], serve(route, handler, access, work, rates));
  }
  return [router.routes() as unknown as Middleware, unknownRoute(router)];
}

type AnyHandler = (request: unknown, ctx: Context) => Promise<unknown> | unknown;

function serve(
  route: RouteDefinition,
  handler: AnyHandler,
  access: AccessOptions,
  work: KeyedWork,
  rates: RateLimiter,
): Middleware {
  return async (ctx) => {
    const caller = checkAccess(ctx.req, route.access, access);
    refuseTooMany(route, caller, rates);
    const refuseRevoked = endWithKey(ctx, caller, work);
    const request = {
      params: checked(route.params, (ctx as { params?: unknown }).params, 'path'),
      query: checked(route.query, ctx.query, 'query'),
      body: await bodyOf(route, ctx),
      caller,
    };
    // A body may take its time, and its key may be revoked before it is complete.
    refuseRevoked();
    ctx.status = route.status;
    const answer = await handler(request, ctx);
    if (answer === undefined) {
      if (ctx.body instanceof Stream) refuseRevoked();
      if (ctx.body === undefined) ctx.body = '';
      return;
    }
    if (typeof answer === 'string' && route.response !== undefined && isRawBody(route.response)) {
      ctx.type = route.response.contentType;
      ctx.body = answer;
    } else {
      ctx.body = answer;
    }
  };
}

/** Throws REQUESTS_TOO_MANY. Callers with one key are counted by their addresses, callers at one address by their keys. */
function refuseTooMany({ method, path, rate }: RouteDefinition, caller: Caller, rates: RateLimiter): void {
  if (rate === undefined) return;
  const waitS = rates.take(`${method} ${path} ${caller.keyId ?? ''} ${caller.address}`, rate);
  if (waitS === null) return;
  throw new ApiError('REQUESTS_TOO_MANY', 'Too many requests of this kind in a short time.', {
    retryAfterS: waitS,
    hint: `Wait ${waitS} s before the next one.`,
  });
}

/**
 * A running stream ends when its key is revoked. An answer that is not sent yet is sent, such as that of a key which revokes
 * itself, but no work and no stream begins any more: the returned function then throws TOKEN_UNKNOWN.
 */
function endWithKey(ctx: Context, caller: Caller, work: KeyedWork): () => void {
  let revoked = false;
  const end = () => {
    revoked = true;
    if (ctx.res.headersSent) ctx.res.destroy();
  };
  ctx.res.once('close', work.hold(caller.keyId, end));
  return () => {
    if (revoked) {
      throw new ApiError('TOKEN_UNKNOWN', 'This token was revoked just now.');
    }
  };
}

async function bodyOf(route: RouteDefinition, ctx: Context): Promise<unknown> {
  if (route.body === undefined) return undefined;
  if (isRawBody(route.body)) return await textBody(ctx, route.body);
  return checked(route.body, await jsonBody(ctx), 'body');
}

/** Parses a part of a request with a schema. Throws REQUEST_INVALID. */
export function checked(schema: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (schema === undefined) return {};
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = issuesOf(result.error, where);
  const first = issues[0];
  const message = first === undefined ? 'The request is wrong.' : inWords(first);
  throw new ApiError('REQUEST_INVALID', message, { issues });
}

/** `"role" is wrong: expected one of "hub", "camera"`, no matter which part of the request it came in. */
function inWords({ path, message }: { path: string; message: string }): string {
  const [, name] = /^[^.]+\.(.+)$/.exec(path) ?? [];
  return name === undefined ? `The request is wrong: ${message}.` : `"${name}" is wrong: ${message}.`;
}

/** For requests that no route took: 405 if the path exists with other methods, otherwise 404. */
function unknownRoute(router: Router): Middleware {
  return async (ctx, next) => {
    const allowed = router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods);
    if (allowed.length > 0) {
      ctx.set('Allow', [...new Set(allowed)].join(', '));
      throw new ApiError('METHOD_NOT_ALLOWED', `${ctx.method} is not possible here.`);
    }
    await next();
  };
}
