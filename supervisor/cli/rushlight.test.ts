import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeError } from '../../common/errors.ts';
import { apiPortsFake } from '../api/api-ports.fake.ts';
import { openApiServer, type RunningApiServer } from '../api/api-server.fake.ts';
import { freshKeys } from '../system/key-store.fake.ts';
import { localAppliance } from './api-client.ts';
import { rushlight } from './rushlight.ts';
import { duration, statusText } from './status-text.ts';

let server: RunningApiServer;
let data = '';

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'rushlight-cli-'));
  const keys = freshKeys();
  await writeFile(join(data, 'owner-token'), `${(await keys.create('owner', 'first boot')).token}\n`);
  server = await openApiServer({ keys, required: true, version: '1.2.3', pages: data });
  await mkdir(join(data, 'run'));
  await writeFile(join(data, 'run', 'api-url'), `${server.url}\n`);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(data, { recursive: true });
});

async function run(...args: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await rushlight(args, { RUSHLIGHT_DATA: data }, (said) => {
    text += said;
  });
  return { code, text };
}

describe('rushlight', () => {
  test('status shows role, feeds and recording, with the token of the data folder', async () => {
    const { code, text } = await run('status');
    expect(code).toBe(0);
    expect(text).toContain('rushlight-abcd  hub (set in rushlight.toml)');
    expect(text).toMatch(/cam0 {2}online {2}1280x720 30.0 fps {2}4000 kbit\/s {2}0 viewers/);
    expect(text).toContain('recording: recording  (room for 1 h 0 min)');
  });

  test('status names outputs and why one does not send', async () => {
    const reason = 'The server refused the token (401). Check the token of this output.';
    const output = {
      id: 'cloud',
      label: 'Cloud',
      feed: 'cam0',
      server: 'https://live.example.com',
      flows: [],
      bitrateKbps: 3000,
      since: '2026-11-30T10:00:00.000Z',
    };
    const outputs = [
      { ...output, state: 'live' as const, reason: null },
      { ...output, id: 'all', feed: '*', state: 'failed' as const, reason },
    ];
    const text = statusText({ ...(await apiPortsFake().status()), outputs });
    expect(text).toContain('output cloud  cam0 to https://live.example.com  live  3000 kbit/s\n');
    expect(text).toContain(`output all  * to https://live.example.com  failed  (${reason})\n`);
  });

  test('status --json prints the answer of the API', async () => {
    expect(JSON.parse((await run('status', '--json')).text).device.id).toBe('abcd');
  });

  test('record starts, stops and shows the last take', async () => {
    expect((await run('record', 'start', '--camera', 'cam0')).text).toContain('take t1 starts');
    expect((await run('record', 'stop')).text).toContain('take t1');
    expect((await run('record')).text).toContain('take t1');
  });

  test('keys can be made, listed and revoked', async () => {
    const { text } = await run('key', 'create', 'viewer', 'crew');
    expect(text).toMatch(/^rl_\S{43}\n$/);
    const line = (await run('key', 'list')).text.split('\n').find((one) => one.includes('crew')) ?? '';
    expect((await run('key', 'revoke', line.split('  ')[0] ?? '')).code).toBe(0);
    expect((await run('key', 'list')).text).not.toContain('crew');
  });

  test('role shows and sets it', async () => {
    expect((await run('role')).text).toBe('hub (now: hub, set in rushlight.toml)\n');
    expect((await run('role', 'camera')).text).toContain('camera (now: hub');
  });

  test('logs prints the latest lines', async () => {
    expect((await run('logs')).text).toBe('{"msg":"one"}\n');
  });

  test('config check names line, key and the nearest one, and needs no appliance', async () => {
    const file = join(data, 'rushlight.toml');
    await writeFile(file, 'role = "hub"\nnmae = "x"\n');
    const bad = await run('config', 'check', file);
    expect(bad.code).toBe(1);
    expect(bad.text).toBe(`${file}, line 2, nmae: unknown key; the nearest known key is name\n`);
    await writeFile(file, 'role = "hub"\n');
    expect((await run('config', 'check', file)).code).toBe(0);
  });

  test('config check finds the settings of this machine, and says where it looked', async () => {
    await writeFile(join(data, 'rushlight.toml'), 'role = "hub"\n');
    const own = join(data, 'rushlight.toml');
    const check = async (...args: string[]) => {
      let text = '';
      const env = { RUSHLIGHT_DATA: data };
      const code = await rushlight(['config', 'check', ...args], env, (said) => {
        text += said;
      });
      return { code, text };
    };
    // As the README has it, from a clone: the file lies in its data folder.
    expect(await check('rushlight.toml')).toEqual({ code: 0, text: `${own} is good.\n` });
    expect(await check()).toEqual({ code: 0, text: `${own} is good.\n` });
    await expect(check('other.toml')).rejects.toMatchObject({
      message: 'There is no file other.toml.',
      hint: `The settings of this machine are in ${own}.`,
    });
    expect(await check(data)).toEqual({ code: 1, text: `${data}, line 1: a folder, not a settings file\n` });
    // As the appliance judges them.
    for (const [bytes, text] of [
      [Buffer.from('\ufeffrole = "hub"\n', 'utf16le'), ' is good.'],
      [Buffer.from('role = "hub" # B\xfchne\n', 'latin1'), ', line 1: not UTF-8 text'],
      [Buffer.from('\n'), ', line 1: the file is empty'],
      [Buffer.alloc(1_100_000, '#'), ', line 1: larger than'],
    ] as const) {
      await writeFile(own, bytes);
      expect((await check()).text).toContain(`${own}${text}`);
    }
    await rm(own);
    await expect(check()).rejects.toMatchObject({ message: `There is no file ${own}.` });
  });

  test('explains a bad request in its own words, not those of the validation library', async () => {
    await expect(run('logs', '--lines', 'many')).rejects.toThrow('"lines" is wrong: expected a number');
    await expect(run('key', 'create', 'boss', 'x')).rejects.toThrow(
      /^"role" is wrong: expected one of "owner", "operator"/,
    );
  });

  test.each([
    ['', 'What should be done?', 'rushlight logs'],
    ['dance', 'There is no command "dance".', 'rushlight logs'],
    ['status --jason', "Unknown option '--jason'.", 'rushlight status [--json]'],
    ['status extra', '"rushlight status" does not take "extra".', 'rushlight status [--json]'],
    ['config', 'There is no command "config".', 'rushlight config check [FILE]'],
    ['config show', 'There is no command "config show".', 'rushlight config check [FILE]'],
    ['take verify', '"rushlight take verify" is incomplete.', 'rushlight take verify ID'],
    ['key create viewer', '"rushlight key create viewer" is incomplete.', 'rushlight key create ROLE NAME'],
    ['record pause', '"rushlight record" does not take "pause".', 'rushlight record stop'],
    // It would stop all of them.
    [
      'record stop --camera cam0',
      '"rushlight record stop" has no option --camera.',
      'rushlight record start [--camera ID]',
    ],
  ])('%s: wrong words are refused, and the right ones named', async (line, message, hint) => {
    const refused = run(...line.split(' ').filter((word) => word !== ''));
    await expect(refused).rejects.toMatchObject({
      code: 'CLI_USAGE',
      message,
      hint: expect.stringContaining(hint),
    });
  });

  test('says so if what answers is no appliance', async () => {
    const page = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
    await once(page, 'listening');
    const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
    const asked = (...args: string[]) => rushlight(args, { RUSHLIGHT_URL: url }, () => {});
    await expect(asked('status')).rejects.toThrow(`What answers at ${url} is no Rushlight appliance`);
    await expect(asked('key', 'list')).rejects.toThrow('is no Rushlight appliance');
    page.close();
    const nonsense = rushlight(['status'], { RUSHLIGHT_URL: 'stage-hub' }, () => {});
    await expect(nonsense).rejects.toThrow('RUSHLIGHT_URL is "stage-hub", which is not an address.');
  });

  test.each([
    ['http://127.0.0.1:59', 'No appliance answers at http://127.0.0.1:59: nothing listens there.'],
    ['http://localhost:59', 'No appliance answers at http://localhost:59: nothing listens there.'],
    [
      'http://no-such-machine.invalid',
      'No appliance answers at http://no-such-machine.invalid: no machine of that name is found.',
    ],
  ])('%s: says once why nobody answers', async (url, message) => {
    const nowhere = rushlight(['status'], { RUSHLIGHT_URL: url, RUSHLIGHT_DATA: data }, () => {});
    await expect(nowhere.catch((error: unknown) => describeError(error))).resolves.toBe(message);
  });

  test.each([
    ['http://stage-hub.local', null],
    ['http://127.0.0.1.stage-hub.local', null],
    ['http://192.0.2.7:8080', null],
    ['http://localhost:8080', 'own'],
    ['http://127.0.0.1:8080', 'own'],
  ])('%s gets the key of this machine only if it is this machine', async (url, expected) => {
    const { token } = await localAppliance({ RUSHLIGHT_URL: url, RUSHLIGHT_DATA: data });
    expect(token === null ? null : 'own').toBe(expected);
    const given = await localAppliance({
      RUSHLIGHT_URL: url,
      RUSHLIGHT_TOKEN: 'theirs',
      RUSHLIGHT_DATA: data,
    });
    expect(given.token).toBe('theirs');
  });

  test('explains what cannot be done', async () => {
    expect((await run('--help')).code).toBe(0);
    expect((await run('help')).text).toContain('rushlight record start [--camera ID]');
    const nowhere = rushlight(
      ['status'],
      { RUSHLIGHT_URL: 'http://127.0.0.1:9', RUSHLIGHT_DATA: data },
      () => {},
    );
    await expect(nowhere).rejects.toMatchObject({ hint: expect.stringContaining('RUSHLIGHT_URL') });
    const stranger = rushlight(['status'], { RUSHLIGHT_DATA: data, RUSHLIGHT_TOKEN: 'rl_wrong' }, () => {});
    await expect(stranger).rejects.toThrow('not known here');
  });
});

test.each([
  [5, '5 s'],
  [65, '1 min 5 s'],
  [3725, '1 h 2 min'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
