import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { problemSchema, routes } from '../supervisor/contract/index.ts';
import { isRawBody, type RouteDefinition } from '../supervisor/contract/route.ts';
import { type ApplianceProcess, freeUdpPort, startAppliance } from './testing/appliance-process.ts';

const config = (udpPort: number) => `
role = "hub"
name = "contract"
[devices]
adopt = "ask"
[media]
udp_port = ${udpPort}
[[source]]
id = "cam0"
kind = "test"
width = 320
height = 180
fps = 25
`;

const asked = [
  ...[routes.listDevices, routes.listFeeds, routes.getStatus, routes.listTakes, routes.getConfig],
  ...[routes.getUpdate, routes.healthz, routes.readyz, routes.openapi],
];

const all: readonly RouteDefinition[] = Object.values(routes);
const takesJson = all.filter(({ body, websocket }) => body !== undefined && !isRawBody(body) && !websocket);
const namesSomething = all.filter(({ path, method, websocket }) => {
  return path.includes('/:') && method !== 'OPTIONS' && !websocket;
});

describe('a running appliance answers according to its contract', { timeout: 60_000 }, () => {
  let appliance: ApplianceProcess;

  beforeAll(async () => {
    appliance = await startAppliance({ config: config(await freeUdpPort()) });
    await appliance.until(
      'cam0 is live',
      async () => (await appliance.get<{ state: string }[]>('/api/feeds'))[0]?.state === 'online',
      120_000,
    );
  }, 150_000);

  afterAll(async () => {
    await appliance[Symbol.asyncDispose]();
  });

  test.each(asked)('GET $path', async ({ path, status, response }) => {
    const answer = await fetch(appliance.url + path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    const body: unknown = await answer.json();
    // Strict: nothing more and nothing less than the schema names.
    expect((response as z.ZodType).parse(body)).toEqual(body);
  });

  test('GET /metrics, as Prometheus reads it', async () => {
    const answer = await fetch(`${appliance.url}/metrics`);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await answer.text()).split('\n').filter((line) => line !== '');
    const sample =
      /^[a-z_:][a-z0-9_:]*(\{([a-z_][a-z0-9_]*="([^"\\]|\\.)*",?)*\})? (NaN|[+-]?Inf|-?[0-9.]+(e[+-]?\d+)?)$/i;
    const comment = /^# (HELP [a-z0-9_:]+ .+|TYPE [a-z0-9_:]+ (counter|gauge|histogram|summary|untyped))$/;
    expect(lines.filter((line) => !sample.test(line) && !comment.test(line))).toEqual([]);
    expect(lines.some((line) => /^rushlight_\w+\{.*feed="cam0".*\} /.test(line))).toBe(true);
  });

  test('GET /openapi.json names every route of the contract', async () => {
    const { openapi, paths } = await appliance.get<{ openapi: string; paths: Record<string, object> }>(
      '/openapi.json',
    );
    expect(openapi).toMatch(/^3\.1\./);
    const told = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    const meant = all.map(
      ({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
    );
    expect(told.toSorted()).toEqual([...new Set(meant)].toSorted());
  });

  test.each(takesJson)('$method $path rejects invalid JSON', async (route) => {
    await expectProblem(route, { headers: { 'content-type': 'application/json' }, body: '{"half":' });
  });

  test.each(namesSomething)('$method $path rejects an invalid name', async (route) => {
    const headers = { 'content-type': contentTypeOf(route) };
    const body = route.body === undefined ? {} : { headers, body: '{}' };
    await expectProblem(route, body);
  });

  test('a missing resource is also answered with a problem document', async () => {
    const answer = await fetch(`${appliance.url}/api/nothing`);
    expect(answer.status).toBe(404);
    expect(problemSchema.parse(await answer.json())).toMatchObject({ status: 404, code: 'ROUTE_UNKNOWN' });
  });

  async function expectProblem({ method, path }: RouteDefinition, request: RequestInit): Promise<void> {
    const answer = await fetch(appliance.url + path.replaceAll(/:\w+/g, 'No%20Such%20Thing'), {
      method,
      ...request,
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const problem = problemSchema.parse(await answer.json());
    expect(problem.status).toBe(answer.status);
    expect(problem.title).not.toBe('');
  }
});

function contentTypeOf({ body }: RouteDefinition): string {
  return body !== undefined && isRawBody(body) ? body.contentType : 'application/json';
}
