import { z } from 'zod';
import type { RawBody, RouteDefinition } from '../contract/index.ts';
import { eventSchema, isRawBody, problemSchema, routes } from '../contract/index.ts';
import { takesPassword } from './middleware/access.ts';

/** The contract as an OpenAPI 3.1 document; schemas are JSON Schema 2020-12 as zod writes them. */
export function openApiDocument(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [id, route] of Object.entries<RouteDefinition>(routes)) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operation(id, route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Rushlight', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema), Event: jsonSchema(eventSchema) },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        password: { type: 'http', scheme: 'basic', description: 'Any user; the key as the password' },
        session: { type: 'apiKey', in: 'cookie', name: 'rushlight_session' },
      },
    },
  };
}

function operation(id: string, route: RouteDefinition): Record<string, unknown> {
  const open = route.access.includes('public');
  return {
    operationId: id,
    summary: route.summary,
    ...(open
      ? { security: [] }
      : {
          security: [
            { bearer: [] },
            { session: [] },
            ...(takesPassword(route.path) ? [{ password: [] }] : []),
          ],
          'x-rushlight-roles': route.access,
        }),
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query')],
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: content(route.body) } }),
    responses: {
      [route.status]: {
        description: 'Done',
        ...(route.response === undefined ? {} : { content: content(route.response) }),
      },
      default: {
        description: 'Problem (RFC 9457)',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function parameters(schema: z.ZodObject | undefined, where: 'path' | 'query'): Record<string, unknown>[] {
  if (schema === undefined) return [];
  return Object.entries(schema.shape).map(([name, field]) => ({
    name,
    in: where,
    required: where === 'path',
    schema: jsonSchema(field as z.ZodType),
  }));
}

function content(body: z.ZodType | RawBody): Record<string, unknown> {
  if (isRawBody(body))
    return { [body.contentType]: { schema: { type: 'string', description: body.description } } };
  return { 'application/json': { schema: jsonSchema(body) } };
}

function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', reused: 'inline' });
  return rest;
}
