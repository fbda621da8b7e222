import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadKeys } from './credentials.ts';
import { type DataPaths, dataPaths } from './data-folder.ts';

const log = pino({ level: 'silent' });

let root: string;
let paths: DataPaths;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'rushlight-credentials-'));
  paths = dataPaths(root);
});

afterEach(() => rm(root, { recursive: true, force: true }));

const ownerToken = async () => (await readFile(paths.ownerToken, 'utf8')).trim();

describe('the key file', () => {
  test('is created with an owner at the first start, without a message', async () => {
    const { keys, notice } = await loadKeys(paths, log);
    expect(notice).toBeNull();
    expect(keys.find(await ownerToken())?.role).toBe('owner');
    const again = await loadKeys(paths, log);
    expect([again.notice, again.keys.list()]).toEqual([null, keys.list()]);
  });

  test.each([
    ['empty', ''],
    ['NULs', '\0'.repeat(700)],
    ['wrong shape', '{"keys":"none"}'],
    ['no text', Buffer.from([0xff, 0xfe, 0x80, 0x00])],
  ])(
    '%s: the appliance starts, sets it aside and creates an owner whose token is shown',
    async (_, content) => {
      const { keys } = await loadKeys(paths, log);
      const before = await ownerToken();
      await keys.create('viewer', 'tablet');
      await writeFile(paths.keys, content);
      const after = await loadKeys(paths, log);
      expect(after.notice).toContain('damaged');
      expect(after.notice).toContain('new owner token');
      expect(after.keys.find(await ownerToken())?.role).toBe('owner');
      expect(after.keys.find(before)).toBeNull();
      expect(await readFile(`${paths.keys}.broken`)).toEqual(Buffer.from(content));
      const third = await loadKeys(paths, log);
      expect([third.notice, third.keys.list()]).toEqual([null, after.keys.list()]);
    },
  );

  test('with a folder in its place does not stop the appliance from starting', async () => {
    await mkdir(paths.keys);
    const { keys, notice } = await loadKeys(paths, log);
    expect(notice).toContain('damaged');
    expect(keys.find(await ownerToken())?.role).toBe('owner');
  });

  test('with one damaged entry keeps the others, which are written again', async () => {
    const { keys } = await loadKeys(paths, log);
    const tablet = await keys.create('viewer', 'tablet');
    const shed = await keys.create('camera', 'shed');
    const text = await readFile(paths.keys, 'utf8');
    await writeFile(paths.keys, text.replace('"shed"', '"sied"'));
    const token = await ownerToken();
    const after = await loadKeys(paths, log);
    expect(after.notice).toContain('1 of 3 entries');
    expect(after.notice).not.toContain('new owner');
    expect(after.keys.find(token)?.role).toBe('owner');
    expect(after.keys.find(tablet.token)).toEqual(tablet.key);
    expect(after.keys.find(shed.token)).toBeNull();
    expect((await loadKeys(paths, log)).notice).toBeNull();
  });

  test('after any damage has an owner, and no token opens more than before', async () => {
    const { keys } = await loadKeys(paths, log);
    const made: Awaited<ReturnType<typeof keys.create>>[] = [];
    for (const role of ['owner', 'operator', 'viewer', 'camera'] as const) {
      made.push(await keys.create(role, `the ${role}`));
    }
    const revoked = await keys.create('owner', 'lost phone');
    await keys.revoke(revoked.key.id);
    const good = await readFile(paths.keys);
    const spot = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(spot, { maxLength: 5 }),
        fc.option(fc.nat(good.length)),
        async (spots, cut) => {
          const bytes = Buffer.from(good.subarray(0, cut ?? good.length));
          for (const { at, byte } of spots) if (at < bytes.length) bytes[at] = byte;
          await writeFile(paths.keys, bytes);
          const after = (await loadKeys(paths, log)).keys;
          expect(after.list().some(({ role }) => role === 'owner')).toBe(true);
          for (const { token, key } of made) expect([null, key]).toContainEqual(after.find(token));
          expect(after.find(revoked.token)).toBeNull();
        },
      ),
      { numRuns: 60 },
    );
  });

  test('of a first start that was interrupted before writing its token is not a lock without a key', async () => {
    await mkdir(paths.ownerToken); // the token cannot be written
    const first = await loadKeys(paths, log);
    expect(first.notice).toContain('owner token cannot be kept');
    expect(first.keys.list()).toEqual([]);
    await rm(paths.ownerToken, { recursive: true });
    const second = await loadKeys(paths, log);
    expect(second.keys.find(await ownerToken())?.role).toBe('owner');
  });

  test('gets a new owner if the token on the console is no longer valid', async () => {
    await loadKeys(paths, log);
    await writeFile(paths.ownerToken, '');
    const { keys, notice } = await loadKeys(paths, log);
    expect(notice).toContain('new owner token');
    expect(keys.find(await ownerToken())?.role).toBe('owner');
  });
});
