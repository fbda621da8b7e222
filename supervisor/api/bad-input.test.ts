import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApiServer, problemIn, type RunningApiServer } from './api-server.fake.ts';

let server: RunningApiServer;
let open = '';

beforeAll(async () => {
  server = await openApiServer();
  open = server.url;
});

afterAll(async () => await server[Symbol.asyncDispose]());

describe('bad input gets a problem document', () => {
  const cases: [string, string, RequestInit, number, string][] = [
    ['wrong method', '/api/status', { method: 'POST' }, 405, 'METHOD_NOT_ALLOWED'],
    ['feed name', '/api/feeds/UPPER', {}, 400, 'REQUEST_INVALID'],
    ['unknown feed', '/api/feeds/nothing', {}, 404, 'FEED_UNKNOWN'],
    [
      'no JSON',
      '/api/takes',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' },
      400,
      'REQUEST_INVALID',
    ],
    [
      'unknown field',
      '/api/takes',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"camera":"x"}' },
      400,
      'REQUEST_INVALID',
    ],
    [
      'form instead of JSON',
      '/api/takes',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' },
      415,
      'MEDIA_TYPE_UNSUPPORTED',
    ],
    [
      'offer of another type',
      '/whip/cam0',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' },
      415,
      'MEDIA_TYPE_UNSUPPORTED',
    ],
    [
      'offer too large',
      '/whip/cam0',
      { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: 'x'.repeat(300_000) },
      413,
      'BODY_TOO_LARGE',
    ],
    ['a session that is none', '/whip/a/b', { method: 'DELETE' }, 404, 'SESSION_NOT_FOUND'],
    ['a viewer that is none', '/whep/a/b', {}, 404, 'SESSION_NOT_FOUND'],
    [
      'JSON nested a hundred thousand deep',
      '/api/config',
      {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
      },
      400,
      'REQUEST_INVALID',
    ],
    ['segment 0', '/api/takes/t1/masters/cam0?segment=0', {}, 400, 'REQUEST_INVALID'],
    [
      'tally of no kind',
      '/api/tally',
      { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"state":"pink"}' },
      400,
      'REQUEST_INVALID',
    ],
    [
      'controls without any',
      '/api/devices/usb-1/controls',
      { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{}' },
      400,
      'REQUEST_INVALID',
    ],
    ['an error of ours', '/api/takes/explode', {}, 500, 'INTERNAL'],
  ];

  test.each(cases)('%s', async (_what, path, init, status, code) => {
    const answer = await problemIn(await fetch(open + path, init));
    expect(answer).toMatchObject({ status, code, instance: path.split('?')[0] });
    if (status === 500) expect(JSON.stringify(answer)).not.toContain('secret detail');
  });
});
