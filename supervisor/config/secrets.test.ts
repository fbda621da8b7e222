import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { LiveConfig } from './live-config.ts';
import { parseConfig } from './parse.ts';
import { notShown, withoutSecrets, withSecrets } from './secrets.ts';
import { StateStore } from './state.ts';

const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

const cloud = { id: 'cloud', feed: 'cam0', url: 'https://a/whip', token: 'tok-1' };
const other = { id: 'other', feed: '*', url: 'https://b/{feed}', token: 'tok-2' };

test('shows settings without secrets and everything else unchanged', () => {
  const shown = withoutSecrets({ name: 'stage', output: [cloud, { ...other, token: undefined }] });
  expect(shown).toEqual({
    name: 'stage',
    output: [
      { ...cloud, token: notShown },
      { ...other, token: undefined },
    ],
  });
  // What does not fit the schema is shown as carefully: a file of a newer format, say.
  expect(JSON.stringify(withoutSecrets({ output: [{ ...cloud, feed: 7, unknown: [1] }] }))).not.toContain(
    'tok-1',
  );
});

test('passwords of network cameras are secrets, and keep to one place', () => {
  const camera = { id: 'door', kind: 'rtsp', url: 'rtsp://c/', username: 'me', password: 'geheim' };
  expect(withoutSecrets({ source: [camera] })).toEqual({ source: [{ ...camera, password: notShown }] });
  const remote = [{ ...camera, kind: 'mjpeg', url: 'http://c/' }];
  expect(withoutSecrets({ remote })).toMatchObject({ remote: [{ password: notShown }] });
  const table = (more: string) => `[[source]]\nid = "a"\nkind = "rtsp"\nurl = "rtsp://c/"\n${more}`;
  expect(parseConfig(table('password = "p"')).ok).toBe(true);
  const problems = (more: string) => {
    const parsed = parseConfig(table(more));
    return parsed.ok ? [] : parsed.problems.map(({ line, message }) => `${line}: ${message}`);
  };
  expect(problems('password = "p"\npassword_file = "f"')).toEqual([
    '6: expected either password or password_file',
  ]);
  expect(problems(`password = "${notShown}"`)).toEqual([
    '5: expected a password without spaces; password_file takes any',
  ]);
});

test('a change that repeats what was shown keeps each secret with its own element', () => {
  const inForce = { output: [cloud, other] };
  const shown = withoutSecrets(inForce).output as (typeof cloud)[];
  const patch = { output: [...shown].reverse().map((one) => ({ ...one, url: `${one.url}2` })) };
  expect(withSecrets(patch, inForce)).toEqual({
    output: [
      { ...other, url: 'https://b/{feed}2' },
      { ...cloud, url: 'https://a/whip2' },
    ],
  });
  const renamed = withSecrets({ output: [{ ...cloud, id: 'third', token: notShown }] }, inForce);
  expect(renamed).toEqual({ output: [{ ...cloud, id: 'third', token: notShown }] });
});

test('asks for a missing secret without showing any', async () => {
  const file = join(folder, 'rushlight.toml');
  writeFileSync(file, '[[output]]\nid = "cloud"\nfeed = "cam0"\nurl = "https://a/whip"\ntoken = "tok-1"\n');
  const logger = pino({ level: 'silent' });
  const state = new StateStore({ file: join(folder, 'state.json'), logger });
  await state.load();
  const config = new LiveConfig({ file, lastGoodFile: join(folder, 'good.toml'), state, logger });
  await config.load();
  const output = [{ id: 'cloud', feed: 'cam1', url: 'https://a/whip', token: notShown }];
  const { file: now } = await config.patch({ output });
  expect(now.output).toMatchObject([{ feed: 'cam1', token: 'tok-1' }]);
  const refused = config.patch({ output: [...output, { ...output[0], id: 'new' }] });
  await expect(refused).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    problems: [{ key: 'output[1].token', expected: 'a token without spaces' }],
  });
});

test.each([
  ['feed = "*"\nurl = "https://a/whip"', 'output[0].url'],
  ['feed = "cam0"\nurl = "https://a/whip"\ntoken = "a"\ntoken_file = "b"', 'output[0].token_file'],
  ['feed = "Cam 0"\nurl = "https://a/whip"', 'output[0].feed'],
  ['feed = "cam0"\nurl = "rtmp://a/live"', 'output[0].url'],
  ['feed = "cam0"\nurl = "https://user:pass@a/live"', 'output[0].url'],
  ['feed = "cam0"\nurl = "https://a/whip"\ntoken = "top secret"', 'output[0].token'],
])('rejects an invalid output: %s', (lines, key) => {
  const result = parseConfig(`[[output]]\nid = "cloud"\n${lines}\n`);
  expect(result.ok ? [] : result.problems.map((problem) => problem.key)).toEqual([key]);
  expect(JSON.stringify(result)).not.toContain('top secret');
});

test('rejects two outputs with one id; a source may have the same id', () => {
  const one = '[[output]]\nid = "cam0"\nfeed = "cam0"\nurl = "https://a/{feed}"\n';
  const source = '[[source]]\nid = "cam0"\nkind = "test"\n';
  expect(parseConfig(`${source}${one}`).ok).toBe(true);
  expect(parseConfig(`${one}${one}`)).toMatchObject({ problems: [{ key: 'output[1].id' }] });
});
