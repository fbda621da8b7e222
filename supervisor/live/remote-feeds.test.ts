import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { parseConfig } from '../config/parse.ts';
import type { JpegFeeds } from './jpeg/jpeg-feeds.ts';
import { RemoteFeeds } from './remote-feeds.ts';

const folder = mkdtempSync(join(tmpdir(), 'remotes-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(['', '\n', 'two tokens'])(
  'names a remote feed with an invalid token (%j) and pulls the others',
  async (text) => {
    writeFileSync(join(folder, 'key'), text);
    const parsed = parseConfig(
      ['a', 'b']
        .map((id) => `[[remote]]\nid = "${id}"\nkind = "whep"\nurl = "http://hub/whep/${id}"\n`)
        .join('')
        .concat('token_file = "key"\n'),
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const remotes = new RemoteFeeds({
      jpegFeeds: {} as JpegFeeds,
      configFile: join(folder, 'rushlight.toml'),
      pulls: () => [],
      onChange: () => {},
      log: pino({ level: 'silent' }),
    });
    await remotes.apply(parsed.config.remote);
    // The media process takes no pull without a token that says it has one, and with it none of the others.
    expect(remotes.pulls().map(({ feed }) => feed)).toEqual(['a']);
    expect(remotes.status()[1]).toMatchObject({
      state: 'waiting',
      reason: expect.stringMatching(/key (?:is empty|holds no token: one line of letters, digits and signs)/),
    });
    expect(remotes.hasBroken).toBe(true);
  },
);
