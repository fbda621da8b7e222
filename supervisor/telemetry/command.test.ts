import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { TokenBucket } from '../../common/token-bucket.ts';
import { FakeCommands } from './appliance.fake.ts';
import { commandNames, longestCommandBytes, parseCommand } from './command.ts';
import { CommandRunner } from './command-runner.ts';
import { CommandRefusedError } from './errors.ts';
import { hubStatus, takeStatus } from './status.fixture.ts';

const endless = () => new TokenBucket({ burst: 1e9, perSecond: 1e9 });

function runner(commands: FakeCommands, limit = endless(), status = hubStatus()): CommandRunner {
  return new CommandRunner({
    commands,
    status: () => status,
    publishSnapshot: async (feed) => {
      await commands.snapshot(feed);
    },
    limit,
    logger: pino({ level: 'silent' }),
  });
}

const names = fc.oneof(
  fc.constantFrom(...commandNames),
  fc.constantFrom('reboot', '__proto__', ''),
  fc.string(),
);
const nearMisses = fc.constantFrom(
  'PRESS',
  'press',
  'ON',
  'OFF',
  'on',
  'install',
  'hub',
  'camera',
  'auto',
  'program',
  'cam0',
  'CAM0',
  '{}',
  '{"force":true}',
  '{"force":"yes"}',
  '{"force":true,"x":1}',
  '{"role":"hub"}',
  '{"role":["hub"]}',
  '{"state":"ON","cameras":[]}',
  '{"state":"ON","cameras":["cam0"]}',
  '{"state":"OFF","cameras":["cam0"]}',
  '{"feed":"../../etc/passwd"}',
  '{"url":5}',
  '{"__proto__":{"force":true}}',
  'null',
  '[]',
  '{',
);
const payloads = fc.oneof(
  nearMisses.map((text) => Buffer.from(text)),
  fc.json().map((text) => Buffer.from(text)),
  fc
    .dictionary(fc.constantFrom('force', 'role', 'state', 'cameras', 'feed', 'url'), fc.jsonValue(), {
      maxKeys: 3,
    })
    .map((value) => Buffer.from(JSON.stringify(value))),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
);

describe('10,000 random commands', () => {
  test('none crashes; each is obeyed exactly when it is legal and otherwise rejected with a reason', async () => {
    const commands = new FakeCommands();
    const obedient = runner(commands);
    let obeyed = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(names, payloads, async (name, payload) => {
        const before = commands.calls.length;
        const result = await obedient.run(name, payload, false);
        const called = commands.calls.length - before;
        expect(called).toBe(result.ok ? 1 : 0);
        expect(result.message).not.toBe('');
        expect(result.ok ? result.code === 'OK' : /^(COMMAND_|FEED_UNKNOWN)/.test(result.code)).toBe(true);
        if (result.ok) obeyed += 1;
        else refused += 1;
      }),
      { numRuns: 10_000 },
    );
    expect(obeyed).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(1000);
  }, 120_000);

  test('a payload parses or throws only the declared error', () => {
    fc.assert(
      fc.property(names, payloads, (name, payload) => {
        try {
          expect(parseCommand(name, payload).name).toBe(name);
        } catch (error) {
          expect(error).toBeInstanceOf(CommandRefusedError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('illegal commands', () => {
  test.each([
    ['COMMAND_UNKNOWN', 'reboot', 'PRESS'],
    ['COMMAND_UNKNOWN', 'constructor', 'PRESS'],
    ['COMMAND_INVALID', 'role', 'boss'],
    ['COMMAND_INVALID', 'restart', 'please'],
    ['COMMAND_INVALID', 'restart', '{"force":"yes"}'],
    ['COMMAND_INVALID', 'restart', '{"force":true,"now":true}'],
    ['COMMAND_INVALID', 'update', '{"force"'],
    ['COMMAND_INVALID', 'recording', ''],
    ['COMMAND_TOO_LARGE', 'update', 'x'.repeat(longestCommandBytes + 1)],
    ['COMMAND_NOT_TEXT', 'role', Buffer.from([0xff, 0xfe])],
  ])('%s: %s', (code, name, payload) => {
    expect(() => parseCommand(name, Buffer.from(payload))).toThrow(expect.objectContaining({ code }));
  });

  test('the reason names the field and what was expected', () => {
    expect(() => parseCommand('update', Buffer.from('{"force":"yes"}'))).toThrow(
      '"force" is wrong: expected true or false.',
    );
    expect(() => parseCommand('recording', Buffer.from('maybe'))).toThrow(
      '"state" is wrong: expected one of "ON", "OFF".',
    );
    expect(() => parseCommand('snapshot', Buffer.from('{"feed":7}'))).toThrow(
      '"feed" is wrong: expected text.',
    );
    expect(() => parseCommand('identify', Buffer.from('{"now":1}'))).toThrow(
      'It is wrong: "now" is not known here.',
    );
  });
});

describe('commands rejected in the current state', () => {
  const recording = { state: 'recording', take: takeStatus(), remainingS: 10, refusal: null } as const;
  const busy = hubStatus({ recording });

  test.each([
    ['role', 'camera'],
    ['restart', 'PRESS'],
    ['shutdown', 'PRESS'],
    ['rollback', 'PRESS'],
    ['update', 'install'],
  ])('during a take: %s', async (name, payload) => {
    const commands = new FakeCommands();
    const result = await runner(commands, endless(), busy).run(name, Buffer.from(payload), false);
    expect(result).toMatchObject({ ok: false, code: 'TAKE_RUNNING' });
    expect(commands.calls).toEqual([]);
  });

  test.each(['restart', 'shutdown', 'update'])('%s is allowed during a take if forced', async (name) => {
    const commands = new FakeCommands();
    const result = await runner(commands, endless(), busy).run(name, Buffer.from('{"force":true}'), false);
    expect(result.ok).toBe(true);
  });

  test.each([
    ['recording', 'OFF'],
    ['tally', 'program'],
    ['identify', 'PRESS'],
  ])('%s is allowed during a take', async (name, payload) => {
    const result = await runner(new FakeCommands(), endless(), busy).run(name, Buffer.from(payload), false);
    expect(result.ok).toBe(true);
  });

  test('ending the take of others by the switch of one camera', async () => {
    const commands = new FakeCommands();
    const off = (cameras: string[]) => Buffer.from(JSON.stringify({ state: 'OFF', cameras }));
    const refused = await runner(commands, endless(), busy).run('recording', off(['cam1']), false);
    expect(refused).toMatchObject({
      ok: false,
      code: 'TAKE_OF_OTHERS',
      message: expect.stringMatching(/cam0/),
    });
    expect(commands.calls).toEqual([]);
    const done = await runner(commands, endless(), busy).run('recording', off(['cam0']), false);
    expect(done.ok).toBe(true);
    expect(commands.of('stopTake')).toHaveLength(1);
  });

  test('more than the limit allows', async () => {
    const commands = new FakeCommands();
    let nowMs = 0;
    const limited = runner(commands, new TokenBucket({ burst: 2, perSecond: 1, now: () => nowMs }));
    const press = () => limited.run('identify', Buffer.from('PRESS'), false);
    const codes = [(await press()).code, (await press()).code, (await press()).code];
    expect(codes).toEqual(['OK', 'OK', 'COMMAND_TOO_OFTEN']);
    nowMs += 1000;
    expect((await press()).code).toBe('OK');
    expect(commands.of('identify')).toHaveLength(3);
  });

  test("the appliance's own rejection comes back with its code", async () => {
    const commands = new FakeCommands();
    commands.refuse = Object.assign(new Error('no bundle fits'), { code: 'UPDATE_NONE' });
    const result = await runner(commands).run('update', Buffer.from('install'), false);
    expect(result).toMatchObject({ ok: false, code: 'UPDATE_NONE', message: 'no bundle fits' });
  });
});
