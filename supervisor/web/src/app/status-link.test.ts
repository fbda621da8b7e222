import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { statusFixture, takeFixture } from '../../testing/fixture.ts';
import { ApiClient } from './api-client.ts';
import type { AppAction } from './app-state.ts';
import { StatusLink } from './status-link.ts';

const json = (body: unknown) => new Response(JSON.stringify(body), { status: 200 });

/** A busy machine may take its time. */
const patient = { timeout: 10_000 };

/** What the appliance answers, path by path; a path without an entry cannot be reached. */
type Answers = Record<string, () => Response>;

const link = (answers: Answers, silenceMs?: number) => {
  const actions: AppAction[] = [];
  const asked: string[] = [];
  const api = new ApiClient(async (input) => {
    asked.push(String(input));
    const answer = answers[String(input)];
    if (answer === undefined) throw new TypeError('fetch failed');
    return answer();
  });
  const stop = new AbortController();
  const running = new StatusLink(api, (action) => actions.push(action), silenceMs).run(stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  return { actions, asked, running, end, types: () => actions.map(({ type }) => type) };
};

const endless = (...chunks: string[]) => {
  const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
  };
  return new Response(new ReadableStream({ start }), { status: 200 });
};

const good: Answers = {
  '/api/status': () => json(statusFixture()),
  '/api/takes': () => json([takeFixture()]),
  '/api/devices': () => json([]),
  '/api/unplugged-devices': () => json([]),
  '/api/events': () => endless('event: config\ndata: {"type":"config","ok":true}\n\n'),
};

beforeEach(() => {
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
  vi.stubGlobal('addEventListener', () => {});
  vi.stubGlobal('removeEventListener', () => {});
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test('status, takes, then events', async () => {
  const { types, actions, end } = link(good);
  await expect.poll(types, patient).toEqual(['connecting', 'status', 'takes', 'open', 'event', 'devices']);
  expect(actions).toContainEqual({ type: 'event', event: { type: 'config', ok: true } });
  await end();
});

test('an unreachable appliance is lost, shows the time of the next attempt, and is tried again', async () => {
  const { actions, asked, end } = link({});
  await expect.poll(() => asked.length, patient).toBe(2);
  const lost = actions.find(({ type }) => type === 'lost');
  expect(lost).toMatchObject({ reason: 'The appliance does not answer.' });
  expect(lost?.type === 'lost' && (lost.retryAtMs ?? 0) > lost.atMs).toBe(true);
  await end();
});

test('an appliance that ends the stream is asked again', async () => {
  const { types, end } = link({ ...good, '/api/events': () => new Response('', { status: 200 }) });
  await expect.poll(() => types().filter((type) => type === 'open').length, patient).toBe(2);
  expect(types()).toContain('lost');
  await end();
});

test('reopens a silent stream, and an appliance that answers is not lost', async () => {
  const { types, asked, end } = link(good, 50);
  await expect.poll(() => types().filter((type) => type === 'status').length, patient).toBeGreaterThan(2);
  await expect.poll(() => asked.filter((path) => path === '/api/events').length, patient).toBeGreaterThan(2);
  expect(types()).not.toContain('lost');
  await end();
});

test('silence of an appliance that is gone counts as a loss', async () => {
  let alive = true;
  const { types, end } = link(
    {
      ...good,
      '/api/status': () => {
        if (!alive) throw new TypeError('fetch failed');
        return json(statusFixture());
      },
    },
    200,
  );
  await expect.poll(types, patient).toContain('open');
  alive = false;
  await expect.poll(types, patient).toContain('lost');
  await end();
});

test('an appliance that asks for a key ends the link; only a rejected key has a reason', async () => {
  const refusal = (code: string) => () =>
    new Response(JSON.stringify({ title: 'Revoked', status: 401, code }), { status: 401 });
  const without = link({ '/api/status': refusal('TOKEN_MISSING') });
  await without.running;
  expect(without.actions.at(-1)).toEqual({ type: 'locked', reason: null });
  const revoked = link({ '/api/status': refusal('TOKEN_UNKNOWN') });
  await revoked.running;
  expect(revoked.actions.at(-1)).toEqual({ type: 'locked', reason: 'Revoked.' });
});
