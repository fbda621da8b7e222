import { expect, test } from 'vitest';
import type { ConfigView } from '../../../contract/index.ts';
import { sourceFixture } from '../../testing/fixture.ts';
import { updateFixture } from '../../testing/rollout-fixture.ts';
import { withoutRemote } from '../cameras/remote-view.ts';
import { ApiClient } from './api-client.ts';
import { AppController } from './app-controller.ts';
import { OvertakenError } from './form-edits.ts';

/** A controller whose appliance answers `METHOD path` as given, and what it was sent. */
const controllerOf = (answers: Record<string, (ifMatch: string | null) => unknown>) => {
  const sent: { request: string; body: unknown }[] = [];
  const api = new ApiClient(async (path, init) => {
    const request = `${init?.method} ${String(path)}`;
    sent.push({ request, body: typeof init?.body === 'string' ? JSON.parse(init.body) : null });
    const answer = answers[request];
    if (answer === undefined) throw new TypeError('fetch failed');
    const given = answer(new Headers(init?.headers).get('if-match'));
    if (given instanceof Response) return given;
    return new Response(JSON.stringify(given), { status: 200 });
  });
  return { controller: new AppController(api), sent };
};

test.each([
  ['nothing newer', updateFixture({ latestVersion: '1.2.0' }), '1.2.0 is the newest version.'],
  ['no release at all', updateFixture({ latestVersion: null }), '1.2.0 is the newest version.'],
  ['a newer one', updateFixture(), undefined],
  ['a newer one that is fetched at once', updateFixture({ state: 'downloading' }), undefined],
])('a check for updates that finds %s', async (_what, update, said) => {
  const { controller } = controllerOf({ 'POST /api/update/check': () => update });
  await controller.update('check');
  expect(controller.notice.value?.text).toBe(said);
});

test('changes a list in the settings as it is now, not as the page once read it', async () => {
  const entry = (id: string) => ({ id, kind: 'rtsp', url: `rtsp://192.0.2.1/${id}` });
  const source = [entry('gate')];
  const view = () => ({ file: 'rushlight.toml', values: { source }, overrides: {}, errors: [] });
  const { controller, sent } = controllerOf({ 'GET /api/config': view, 'PATCH /api/config': view });
  const gate = sourceFixture({ id: 'gate', kind: 'rtsp' });
  await controller.config(AbortSignal.timeout(1000));
  // Meanwhile the owner adds a camera in the file.
  source.push(entry('stage'));
  await controller.changeConfig((now) => withoutRemote(now, gate));
  expect(sent.at(-1)).toEqual({ request: 'PATCH /api/config', body: { source: [entry('stage')] } });
});

test('makes a change again if another page changed the settings between reading and writing', async () => {
  let changes = 0;
  const output: string[] = [];
  const view = () => ({ file: 'rushlight.toml', values: { output: [...output] }, overrides: {}, errors: [] });
  const answer = () => new Response(JSON.stringify(view()), { headers: { etag: `"t${changes}"` } });
  const other = ['first', 'second'];
  const { controller, sent } = controllerOf({
    'GET /api/config': () => {
      const now = answer();
      // Another page is faster, twice.
      const next = other.shift();
      if (next !== undefined) {
        output.push(next);
        changes += 1;
      }
      return now;
    },
    'PATCH /api/config': (ifMatch) => {
      if (ifMatch === `"t${changes}"`) return answer();
      const problem = {
        title: 'Precondition failed',
        status: 412,
        code: 'CONFIG_CHANGED',
        detail: 'changed',
      };
      return new Response(JSON.stringify(problem), { status: 412 });
    },
  });
  const add = (now: ConfigView) => ({ output: [...(now.values.output as string[]), 'mine'] });
  expect(await controller.changeConfig(add)).not.toBeNull();
  expect(sent.at(-1)?.body).toEqual({ output: ['first', 'second', 'mine'] });
  expect(controller.notice.value?.text).toContain('changed elsewhere at the same time');

  other.push(...Array.from({ length: 9 }, () => 'more'));
  expect(await controller.changeConfig(add)).toBeNull();
  expect(controller.notice.value?.text).toBe('Not done: changed.');
});

test('says what another page has set meanwhile, and changes nothing', async () => {
  const view = () => ({ file: 'f', values: {}, overrides: {}, errors: [] });
  const { controller, sent } = controllerOf({ 'GET /api/config': view });
  const overtaken = () => {
    throw new OvertakenError('The name is now “Main”.');
  };
  expect(await controller.changeConfig(overtaken)).toBeNull();
  expect(controller.notice.value?.text).toBe('The name is now “Main”.');
  expect(sent).toHaveLength(1);
});

test('reports what could not be done', async () => {
  const { controller } = controllerOf({});
  await controller.logout();
  expect(controller.notice.value?.text).toBe('Not done: The appliance does not answer.');
  expect(await controller.changeConfig(() => ({}))).toBeNull();
});

test('accepts a broker as it was shown', async () => {
  const { controller, sent } = controllerOf({ 'POST /api/mqtt/broker': () => ({}) });
  await controller.acceptBroker('attic.local mqtt://192.0.2.7:1883');
  expect(sent).toEqual([
    { request: 'POST /api/mqtt/broker', body: { id: 'attic.local mqtt://192.0.2.7:1883' } },
  ]);
});
