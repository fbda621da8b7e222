import type { z } from 'zod';

/**
 * Who may call a route. `owner` may do what `operator` may, and `operator` what `viewer` may. `camera` is a camera's own key
 * and opens only the routes that name it. `public` needs no token.
 */
export type AccessRole = 'public' | 'viewer' | 'operator' | 'owner' | 'camera';

/** Methods that routes use. */
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** A body that is not JSON: its media type and, for requests, the largest accepted size in bytes. */
export interface RawBody {
  readonly contentType: string;
  readonly maxBytes?: number;
  readonly description: string;
}

/** A route of the API, as server, OpenAPI document and clients read it. */
export interface RouteDefinition {
  readonly method: HttpMethod;
  /** Path with `:name` parameters. */
  readonly path: string;
  /** Any one of these roles opens the route. */
  readonly access: readonly AccessRole[];
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType | RawBody;
  /** Status of a successful answer. */
  readonly status: number;
  /** Body of a successful answer; absent if the answer is empty. */
  readonly response?: z.ZodType | RawBody;
  /** How often one caller may ask; beyond that, 429 with Retry-After. */
  readonly rate?: { readonly burst: number; readonly perSecond: number };
  /** A WebSocket upgrade instead of a plain answer. */
  readonly websocket?: true;
}

/** True for a body that is not JSON. */
export const isRawBody = (body: z.ZodType | RawBody): body is RawBody => 'contentType' in body;
