import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type Assignment, parseSleep } from './ddi.ts';
import { FakeHawkbit } from './hawkbit.fake.ts';
import { type AssignmentState, Hawkbit, type HawkbitTarget } from './hawkbit.ts';

const logger = pino({ level: 'silent' });
const never = new AbortController().signal;

class Target implements HawkbitTarget {
  state: AssignmentState = { type: 'unknown' };
  begun: Assignment[] = [];
  cancelled: string[] = [];
  cancellable = true;
  attributes = () => ({ version: '1.0.0', board: 'rushlight-virt-amd64' });
  assignmentState = () => this.state;
  begin(assignment: Assignment) {
    this.begun.push(assignment);
    this.state = { type: 'working', detail: 'installing' };
  }
  async cancel(actionId: string) {
    this.cancelled.push(actionId);
    return this.cancellable;
  }
}

async function set(token = 'secret') {
  const server = new FakeHawkbit('secret');
  await server.listen();
  const target = new Target();
  const client = new Hawkbit({
    fetch,
    url: `${server.url}/`,
    controllerId: 'device-1',
    token: { kind: 'TargetToken', value: token },
    target,
    logger,
  });
  return { server, target, client };
}
const executions = (server: FakeHawkbit) =>
  server.feedbacks.map(({ body }) => `${body.status.execution}/${body.status.result.finished}`);

describe('the hawkBit client', () => {
  it('identifies itself when asked and uses the polling time', async () => {
    const { server, client } = await set();
    await using _server = server;
    expect(await client.poll(never)).toBe(300_000);
    expect(server.attributes).toEqual({
      mode: 'merge',
      data: { version: '1.0.0', board: 'rushlight-virt-amd64' },
    });
  });

  it('installs what is assigned and reports each step once', async () => {
    const { server, target, client } = await set();
    await using _server = server;
    server.action = {
      id: '7',
      update: 'forced',
      artifacts: [FakeHawkbit.artifact('r.raucb', 'http://x/r.raucb')],
    };
    await client.poll(never);
    await client.poll(never);
    expect(target.begun).toEqual([
      {
        actionId: '7',
        version: '1.1.0',
        url: 'http://x/r.raucb',
        sha256: 'a'.repeat(64),
        sizeBytes: 1000,
        update: 'forced',
        mayInstall: true,
      },
    ]);
    expect(executions(server)).toEqual(['proceeding/none']);
    target.state = { type: 'done' };
    await client.poll(never);
    expect(executions(server)).toEqual(['proceeding/none', 'closed/success']);
    await client.poll(never);
    expect(server.feedbacks).toHaveLength(2);
  });

  it('reports why it failed', async () => {
    const { server, target, client } = await set();
    await using _server = server;
    server.action = {
      id: '7',
      update: 'forced',
      artifacts: [FakeHawkbit.artifact('r.raucb', 'http://x/r.raucb')],
    };
    target.state = { type: 'failed', reason: 'no frames from cam0' };
    await client.poll(never);
    expect(server.feedbacks[0]).toMatchObject({
      path: '/DEFAULT/controller/v1/device-1/deploymentBase/7/feedback',
      body: {
        status: { execution: 'closed', result: { finished: 'failure' }, details: ['no frames from cam0'] },
      },
    });
  });

  it("respects the server's maintenance window and `skip`", async () => {
    for (const action of [
      { id: '7', update: 'forced', maintenanceWindow: 'unavailable' },
      { id: '7', update: 'skip' },
    ]) {
      const { server, target, client } = await set();
      await using _server = server;
      server.action = { ...action, artifacts: [FakeHawkbit.artifact('r.raucb', 'http://x/r.raucb')] };
      await client.poll(never);
      expect(target.begun).toEqual([]);
      expect(executions(server)).toEqual(['scheduled/none']);
    }
  });

  it('rejects a deployment without a bundle', async () => {
    const { server, client } = await set();
    await using _server = server;
    server.action = {
      id: '7',
      update: 'forced',
      artifacts: [FakeHawkbit.artifact('firmware.bin', 'http://x/f')],
    };
    await client.poll(never);
    expect(executions(server)).toEqual(['closed/failure']);
  });

  it('cancels, or says that it is too late', async () => {
    const { server, target, client } = await set();
    await using _server = server;
    server.cancel = { id: '11', stopId: '7' };
    target.cancellable = false;
    await client.poll(never);
    target.cancellable = true;
    await client.poll(never);
    expect(target.cancelled).toEqual(['7', '7']);
    expect(executions(server)).toEqual(['rejected/none', 'closed/success']);
  });

  it('reports a rejected token', async () => {
    const { server, client } = await set('wrong');
    await using _server = server;
    await expect(client.poll(never)).rejects.toMatchObject({ code: 'HAWKBIT_REFUSED' });
  });

  it('keeps polling after failures until its signal', async () => {
    const { server, client } = await set('wrong');
    await using _server = server;
    const controller = new AbortController();
    const running = client.run(controller.signal);
    controller.abort();
    await running;
  });
});

it.each([
  ['00:05:00', 300_000],
  ['00:00:01', 10_000],
  ['99:00:00', 86_400_000],
  ['soon', null],
])('polling time %s', (text, expected) => {
  expect(parseSleep(text)).toBe(expected);
});
