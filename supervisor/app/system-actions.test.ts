import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { ChildHost } from '../../media/index.ts';
import type { Take } from '../contract/index.ts';
import { ExclusiveRunner } from '../process/exclusive-runner.ts';
import { SystemActions } from './system-actions.ts';

const take: Take = {
  id: 't1',
  startedAt: '2026-11-22T10:00:00.000Z',
  stoppedAt: null,
  state: 'recording',
  cameras: [],
};

function machine() {
  const spawned: string[] = [];
  let current: Take | null = null;
  const host = {
    spawn: async ({ argv }: { argv: readonly string[] }) => {
      spawned.push(argv.join(' '));
      return { exited: Promise.resolve({ code: 0, signal: null }) };
    },
  } as unknown as ChildHost;
  const runner = new ExclusiveRunner();
  const actions = new SystemActions({
    host,
    runner,
    conductor: { current: () => current },
    simulation: false,
    identify: async () => {},
    onTally: () => {},
    log: pino({ level: 'silent' }),
  });
  const record = () => {
    current = take;
  };
  return { spawned, runner, record, ports: actions.ports() };
}

test('shuts down on request, but not during a take unless forced', async () => {
  const { spawned, record, ports } = machine();
  await ports.restart({ force: false });
  expect(spawned).toEqual(['systemctl --no-block reboot']);
  record();
  await expect(ports.shutdown({ force: false })).rejects.toMatchObject({ code: 'TAKE_RUNNING' });
  await ports.shutdown({ force: true });
  expect(spawned.at(-1)).toBe('systemctl --no-block poweroff');
  await expect(ports.factoryReset({ force: false })).rejects.toMatchObject({ code: 'TAKE_RUNNING' });
  await ports.factoryReset({ force: true });
  expect(spawned.at(-1)).toBe('systemctl --no-block start rushlight-factory-reset.service');
});

test('nor during a take that began while it was queued', async () => {
  const { spawned, runner, record, ports } = machine();
  const update = Promise.withResolvers<void>();
  const updating = runner.run('update', () => update.promise);
  const restarting = ports.restart({ force: false });
  record();
  update.resolve();
  await updating;
  await expect(restarting).rejects.toMatchObject({ code: 'TAKE_RUNNING' });
  expect(spawned).toEqual([]);
});
