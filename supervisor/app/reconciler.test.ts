import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseConfig } from '../config/parse.ts';
import type { Config } from '../config/schema.ts';
import { ExclusiveRunner } from '../process/exclusive-runner.ts';
import { Health } from '../system/health.ts';
import { Now } from './now.ts';
import { Reconciler, type ReconcilerOptions } from './reconciler.ts';

const parts: Reconciler[] = [];
afterEach(async () => {
  await Promise.all(parts.splice(0).map((part) => part.close()));
});

function defaults(): Config {
  const parsed = parseConfig('');
  if (!parsed.ok) throw new Error('defaults are not valid');
  return parsed.config;
}

/** A reconciler whose parts do nothing but note that they were asked. */
function open(change: (calls: string[]) => Record<string, unknown> = () => ({})) {
  const calls: string[] = [];
  const health = new Health();
  const noted = (name: string, result: unknown = undefined) => {
    return async () => {
      calls.push(name);
      return result;
    };
  };
  const running = (name: string) => async (signal: AbortSignal) => {
    calls.push(`${name} runs`);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    calls.push(`${name} ended`);
  };
  const options = {
    config: defaults,
    identity: { id: 'x', defaultName: 'stage', version: '1', model: 'PC', serial: null },
    simulation: false,
    role: { current: { role: 'hub', reason: '' }, decide: noted('role') },
    gpio: { apply: noted('gpio'), jumper: 'absent', close: noted('gpio closed') },
    cameras: { known: [] },
    plugged: { sources: noted('cameras'), decided: [] },
    pipelines: {
      ...{ apply: noted('pipelines'), ingests: () => [], pictureFeeds: () => [] },
      close: noted('pipelines closed'),
    },
    controls: { apply: noted('controls') },
    remotes: { apply: noted('remotes'), close: noted('remotes closed') },
    outputs: { apply: noted('outputs') },
    still: { close: noted('still closed') },
    ports: {},
    media: { configure: noted('media') },
    jpegPushes: { apply: noted('pushes'), close: noted('pushes closed') },
    network: { subscribe: () => () => {} },
    http: { apply: noted('page'), reach: null, close: noted('page closed') },
    now: new Now(),
    roles: { hub: running('hub'), camera: running('camera') },
    telemetry: () => running('telemetry'),
    onApplied: () => calls.push('applied'),
    health,
    log: pino({ level: 'silent' }),
    retryMs: [5, 10],
    ...change(calls),
  };
  const reconciler = new Reconciler(options as unknown as ReconcilerOptions);
  parts.push(reconciler);
  const trouble = () => health.snapshot().components.map(({ name, reason }) => `${name}: ${reason}`);
  return { reconciler, calls, trouble };
}

const fails = async () => {
  throw new Error('broken');
};

describe('a part that cannot be applied', () => {
  const broken: [string, Record<string, unknown>][] = [
    ['gpio', { gpio: { apply: fails, jumper: 'absent', close: async () => {} } }],
    ['role', { role: { current: { role: 'hub', reason: '' }, decide: fails } }],
    ['cameras', { plugged: { sources: fails, decided: [] } }],
    ['remotes', { remotes: { apply: fails, close: async () => {} } }],
    ['outputs', { outputs: { apply: fails } }],
    ['pushes', { media: { configure: fails } }],
    ['machine name', { machineName: { set: fails, answered: async () => null } }],
    ['page', { http: { apply: fails, reach: null, close: async () => {} } }],
  ];

  test('a name in the settings reaches the machine at once, not at the next start', async () => {
    const names: string[] = [];
    let name: string | undefined;
    const { reconciler } = open(() => ({
      config: () => ({ ...defaults(), name }),
      machineName: { set: async (wanted: string) => void names.push(wanted), answered: async () => null },
    }));
    await reconciler.apply();
    name = 'stage-left';
    await reconciler.apply();
    expect(names).toEqual(['stage', 'stage-left']);
  });

  test.each(broken)('%s: does not affect the others, and is named', async (name, options) => {
    const { reconciler, calls, trouble } = open(() => options);
    await reconciler.apply();
    expect(calls).toEqual(expect.arrayContaining(['pipelines', 'hub runs', 'telemetry runs', 'applied']));
    expect(trouble()).toEqual([`${name}: broken`]);
  });

  test('is tried again, and no longer named once it works', async () => {
    let tries = 0;
    const apply = async () => {
      tries += 1;
      if (tries < 3) throw new Error('broken');
    };
    const { reconciler, trouble } = open(() => ({ remotes: { apply, close: async () => {} } }));
    await reconciler.apply();
    expect(trouble()).toEqual(['remotes: broken']);
    await vi.waitFor(() => expect(trouble()).toEqual([]));
    expect(tries).toBe(3);
  });
});

test('settings take effect while an update is being installed or waits to restart', async () => {
  const runner = new ExclusiveRunner();
  void runner.run('update', () => new Promise(() => {}));
  const { reconciler, calls } = open(() => ({ runner }));
  await reconciler.apply();
  expect(calls).toContain('applied');
});

test('retries a source that cannot be set up, as its own status says what is wrong', async () => {
  const state = { tries: 0 };
  const remotes = {
    apply: async () => {
      state.tries += 1;
    },
    close: async () => {},
    get hasBroken() {
      return state.tries < 3;
    },
  };
  const { reconciler, trouble } = open(() => ({ remotes }));
  await reconciler.apply();
  await vi.waitFor(() => expect(state.tries).toBe(3));
  expect(trouble()).toEqual([]);
});

test('settings applied during shutdown start nothing more', async () => {
  const gate = Promise.withResolvers<void>();
  const inRemotes = Promise.withResolvers<void>();
  const { reconciler, calls } = open((made) => ({
    remotes: {
      apply: async () => {
        made.push('remotes');
        inRemotes.resolve();
        await gate.promise;
      },
      close: async () => void made.push('remotes closed'),
    },
  }));
  const applying = reconciler.apply();
  await inRemotes.promise;
  const closing = reconciler.close();
  gate.resolve();
  await Promise.all([applying, closing]);
  await reconciler.apply();
  expect(calls).not.toContain('telemetry runs');
  expect(calls).not.toContain('media');
  expect(calls.filter((call) => call === 'pipelines')).toHaveLength(1);
  expect(calls.at(-1)).toBe('page closed');
});
