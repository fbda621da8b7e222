import fc from 'fast-check';
import { expect, test } from 'vitest';
import { statusFixture } from '../../testing/fixture.ts';
import { ApiCallError, ApiClient, masterUrl, messageOfProblem, parseProblem } from './api-client.ts';

const problem = {
  type: 'about:blank',
  title: 'Disk full',
  status: 409,
  detail: 'The disk has no room for a take',
  code: 'DISK_FULL',
  hint: 'Delete a take.',
};

const answering = (make: () => Response) => {
  const calls: { path: string; init: RequestInit | undefined }[] = [];
  const api = new ApiClient(async (input, init) => {
    calls.push({ path: String(input), init });
    return make();
  });
  return { api, calls };
};

const errorOf = async (call: Promise<unknown>): Promise<ApiCallError> => {
  const error = await call.then(
    () => null,
    (caught: unknown) => caught,
  );
  if (!(error instanceof ApiCallError)) throw new Error(`no ApiCallError: ${String(error)}`);
  return error;
};

const signal = new AbortController().signal;

test('a problem document becomes a sentence with its hint', async () => {
  const { api } = answering(() => new Response(JSON.stringify(problem), { status: 409 }));
  const error = await errorOf(api.startTake());
  expect(error).toMatchObject({ code: 'REFUSED', status: 409 });
  expect(error.message).toBe('The disk has no room for a take. Delete a take.');
  expect(error.problem?.code).toBe('DISK_FULL');
});

test('an answer without a problem document still says what happened', async () => {
  const { api } = answering(() => new Response('<html>Bad Gateway</html>', { status: 502 }));
  expect((await errorOf(api.takes(signal))).message).toBe('The appliance answered 502.');
});

test.each([
  [401, 'UNAUTHORIZED'],
  [403, 'FORBIDDEN'],
  [500, 'REFUSED'],
])('status %i is %s', async (status, code) => {
  const { api } = answering(() => new Response('', { status }));
  expect((await errorOf(api.status(signal))).code).toBe(code);
});

test('a truncated answer is reported by its status', async () => {
  const broken = () =>
    new ReadableStream({ start: (controller) => controller.error(new TypeError('network error')) });
  const { api } = answering(() => new Response(broken(), { status: 503 }));
  expect(await errorOf(api.startTake())).toMatchObject({ code: 'REFUSED', status: 503 });
});

test('distinguishes no answer from an unreadable one', async () => {
  const { api: silent } = answering(() => {
    throw new TypeError('Failed to fetch');
  });
  expect((await errorOf(silent.takes(signal))).code).toBe('UNREACHABLE');
  const { api: garbled } = answering(() => new Response('{', { status: 200 }));
  expect((await errorOf(garbled.takes(signal))).code).toBe('UNREADABLE');
});

test('the status includes the clock of the appliance', async () => {
  const headers = { date: 'Sun, 22 Nov 2026 11:30:00 GMT' };
  const { api } = answering(() => new Response(JSON.stringify(statusFixture()), { headers }));
  const { status, clockMs } = await api.status(signal);
  expect(status.device.name).toBe('rushlight-d00d');
  expect(clockMs).toBe(Date.UTC(2026, 10, 22, 11, 30));
});

test('the key is sent once, as a header, to the session route only', async () => {
  const { api, calls } = answering(() => new Response(null, { status: 204 }));
  await api.openSession('s3cret');
  expect(calls[0]?.path).toBe('/api/session');
  expect(calls[0]?.init?.method).toBe('POST');
  expect(new Headers(calls[0]?.init?.headers).get('authorization')).toBe('Bearer s3cret');
});

test('no text makes the problem parser throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const parsed = parseProblem(text);
      expect(messageOfProblem(parsed, 400)).toMatch(/[.!?]$/);
    }),
  );
  expect(parseProblem(JSON.stringify(problem))).toEqual(problem);
});

test('addresses of masters are escaped', () => {
  expect(masterUrl('t 1', 'cam/0', 2)).toBe('/api/takes/t%201/masters/cam%2F0?segment=2');
});
