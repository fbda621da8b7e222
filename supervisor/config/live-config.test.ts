import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ConfigChange, LiveConfig } from './live-config.ts';
import { StateStore } from './state.ts';

const logger = pino({ level: 'silent' });
const waitOptions = { timeout: 20_000, interval: 20 };
let root: string;
let file: string;
let note: string;
const stops: (() => Promise<void>)[] = [];

async function open(pollMs = 60_000) {
  const state = new StateStore({ file: join(root, 'data', 'state.json'), logger });
  await state.load();
  const lastGoodFile = join(root, 'data', 'last-good.toml');
  const config = new LiveConfig({
    file,
    lastGoodFile,
    state,
    logger,
    debounceMs: 20,
    settleMs: 1000,
    pollMs,
  });
  await config.load();
  const changes: ConfigChange[] = [];
  config.subscribe((change) => changes.push(change));
  return { config, changes };
}

/** Opens and follows the file; the watch is known to work once a first change has arrived. */
async function follow(pollMs?: number) {
  const opened = await open(pollMs);
  const stop = new AbortController();
  const done = opened.config.run(stop.signal);
  stops.push(async () => {
    stop.abort();
    await done;
  });
  return opened;
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rushlight-config-'));
  mkdirSync(join(root, 'card'));
  file = join(root, 'card', 'rushlight.toml');
  note = join(root, 'card', 'rushlight-config-error.txt');
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  rmSync(root, { recursive: true, force: true });
});

describe('at boot', () => {
  it('uses the defaults without a file', async () => {
    const { config } = await open();
    expect(config.current).toMatchObject({ origin: 'defaults', problems: [], config: { role: 'auto' } });
    expect(existsSync(note)).toBe(false);
  });

  it('uses the defaults with a broken file and no earlier one, and reports the problem', async () => {
    writeFileSync(file, 'role = "hubb"\n');
    const { config } = await open();
    expect(config.current).toMatchObject({ origin: 'defaults', config: { role: 'auto' } });
    expect(config.current.problems).toMatchObject([{ line: 1, key: 'role' }]);
    expect(readFileSync(note, 'utf8')).toContain('line 1, role: expected one of "auto", "hub", "camera"');
  });

  it('uses the last good file instead of a broken one, and removes the note once it is good', async () => {
    writeFileSync(file, 'role = "hub"\n');
    await open();
    writeFileSync(file, 'role = \n');
    expect((await open()).config.current).toMatchObject({ origin: 'last-good', config: { role: 'hub' } });
    expect(existsSync(note)).toBe(true);
    rmSync(file);
    const missing = (await open()).config.current;
    expect(missing).toMatchObject({
      config: { role: 'hub' },
      problems: [{ message: 'the file is missing' }],
    });
    writeFileSync(file, 'role = "camera"\n');
    expect((await open()).config.current).toMatchObject({
      origin: 'file',
      config: { role: 'camera' },
      problems: [],
    });
    expect(existsSync(note)).toBe(false);
    expect(readFileSync(file, 'utf8')).toBe('role = "camera"\n');
  });
});

describe('while it runs', () => {
  it('applies an edit, with what it changes and restarts', async () => {
    writeFileSync(file, 'role = "hub"\n');
    const { config, changes } = await follow();
    writeFileSync(file, 'role = "camera"\n[log]\nlevel = "debug"\n');
    await vi.waitFor(() => expect(config.current.config.role).toBe('camera'), waitOptions);
    const [change] = changes;
    expect(change?.keys).toEqual(['role', 'log.level']);
    expect(change?.previous.config.role).toBe('hub');
  });

  it('notices a file that an editor replaces', async () => {
    writeFileSync(file, 'role = "hub"\n');
    const { config } = await follow();
    for (const role of ['camera', 'auto', 'hub']) {
      writeFileSync(`${file}~`, `role = "${role}"\n`);
      renameSync(`${file}~`, file);
      await vi.waitFor(() => expect(config.current.config.role).toBe(role), waitOptions);
    }
  });

  it('a broken file changes nothing but the reported problems', async () => {
    writeFileSync(file, 'role = "hub"\n');
    const { config, changes } = await follow();
    writeFileSync(file, 'role = "hub"\n\nfoo = 1\n');
    await vi.waitFor(() => expect(existsSync(note)).toBe(true), waitOptions);
    expect(config.current).toMatchObject({
      origin: 'last-good',
      config: { role: 'hub' },
      problems: [{ line: 3 }],
    });
    expect(changes.map(({ keys }) => keys)).toEqual([[]]);
    writeFileSync(file, 'role = "hub"\n');
    await vi.waitFor(() => expect(existsSync(note)).toBe(false), waitOptions);
    expect(config.current).toMatchObject({ origin: 'file', problems: [] });
  });

  it('a removed file changes nothing', async () => {
    writeFileSync(file, 'role = "hub"\n');
    const { config } = await follow();
    rmSync(file);
    await vi.waitFor(() => expect(config.current.problems).toHaveLength(1), waitOptions);
    expect(config.current.config.role).toBe('hub');
  });

  it('finds a change by polling if no event arrives', async () => {
    const { config } = await follow(20);
    rmSync(join(root, 'card'), { recursive: true });
    mkdirSync(join(root, 'card'));
    writeFileSync(file, 'role = "camera"\n');
    await vi.waitFor(() => expect(config.current.config.role).toBe('camera'), waitOptions);
  });
});

describe('settings made through the API', () => {
  it('override the file, survive a restart, and yield to a later edit of their key', async () => {
    writeFileSync(file, 'role = "hub"\n[log]\nlevel = "warn"\n');
    const { config, changes } = await open();
    await config.patch({ role: 'camera', log: { level: 'debug' } });
    expect(changes[0]?.keys).toEqual(['role', 'log.level']);
    expect(readFileSync(file, 'utf8')).toBe('role = "hub"\n[log]\nlevel = "warn"\n');
    const again = (await open()).config.current;
    expect(again).toMatchObject({ config: { role: 'camera', log: { level: 'debug' } } });
    expect(again.overrides).toEqual({ role: 'camera', log: { level: 'debug' } });
    writeFileSync(file, 'role = "auto"\n[log]\nlevel = "warn"\n');
    expect((await open()).config.current).toMatchObject({
      config: { role: 'auto', log: { level: 'debug' } },
      overrides: { log: { level: 'debug' } },
    });
    writeFileSync(file, 'role = "hub"\n[log]\nlevel = "warn"\n');
    expect((await open()).config.current.config.role).toBe('hub');
  });

  it('are rejected if they are wrong, and nothing changes', async () => {
    const { config, changes } = await open();
    await expect(config.patch({ rolle: 'hub' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      problems: [{ key: 'rolle', nearest: 'role' }],
    });
    await expect(config.patch({ jumper: { gpio: 99 } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(changes).toEqual([]);
    expect(config.current.overrides).toEqual({});
  });

  it('are refused if others came first, of two changes at once, and of one that was read before a restart', async () => {
    writeFileSync(file, 'role = "hub"\n');
    const { config, changes } = await open();
    const { tag } = config;
    const isRead = (now: string) => now === tag;
    const both = await Promise.allSettled([
      config.patch({ log: { level: 'debug' } }, isRead),
      config.patch({ log: { level: 'warn' } }, isRead),
    ]);
    expect(both).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'CONFIG_CHANGED' } }]);
    expect(config.current.config.log.level).toBe('debug');
    expect(changes).toHaveLength(1);
    expect(config.tag).not.toBe(tag);
    const before = config.tag;
    await config.patch({ log: { level: 'debug' } });
    expect(config.tag).toBe(before);
    expect((await open()).config.tag).not.toBe(before);
  });

  it('are set aside and reported if they do not fit a later file', async () => {
    writeFileSync(file, '');
    const { config } = await open();
    await config.patch({ tally_light: { gpio: 5 } });
    writeFileSync(file, '[jumper]\ngpio = 5\n');
    const { current } = (await open()).config;
    expect(current.config.jumper.gpio).toBe(5);
    expect(current.config.tallyLight.gpio).toBeUndefined();
    expect(current.problems).toMatchObject([{ key: 'tally_light.gpio' }]);
    expect(existsSync(note)).toBe(false);
  });
});

describe('a file that somebody is writing', () => {
  const whole =
    'role = "hub"\nname = "stage"\n[[source]]\nid = "cam0"\nkind = "test"\n[log]\nlevel = "debug"\n';

  /** What the settings were while the file was so for longer than any editor's pause, but not for long. */
  async function during(write: () => void) {
    writeFileSync(file, whole);
    const { config, changes } = await follow(50);
    await vi.waitFor(() => expect(config.current.origin).toBe('file'), waitOptions);
    changes.splice(0);
    write();
    await new Promise((resolve) => setTimeout(resolve, 500));
    return { config, changes };
  }

  it.each([
    ['emptied', () => writeFileSync(file, '')],
    ['filled with zeros', () => writeFileSync(file, Buffer.alloc(whole.length))],
    ['cut between two tables', () => writeFileSync(file, whole.slice(0, whole.indexOf('[log]')))],
    ['cut before its sources', () => writeFileSync(file, whole.slice(0, whole.indexOf('[[source]]')))],
    ['cut in a line', () => writeFileSync(file, whole.slice(0, 8))],
    ['taken away', () => rmSync(file)],
    ['begun with other words', () => writeFileSync(file, '# new\nrole = "camera"\n')],
  ])('%s: nothing changes until it is whole again', async (_how, write) => {
    const { config, changes } = await during(write);
    expect(changes).toEqual([]);
    expect(existsSync(note)).toBe(false);
    writeFileSync(file, whole.replace('debug', 'trace'));
    await vi.waitFor(() => expect(config.current.config.log.level).toBe('trace'), waitOptions);
    expect(changes.map(({ keys }) => keys)).toEqual([['log.level']]);
  });

  it('applies a deliberately shortened file a little later', async () => {
    const { config } = await during(() => writeFileSync(file, 'role = "hub"\n'));
    expect(config.current.config.name).toBe('stage');
    await vi.waitFor(() => expect(config.current.config.name).toBeUndefined(), waitOptions);
    expect(config.current.problems).toEqual([]);
  });

  it.each([
    ['empty', ''],
    ['of zeros', '\0'.repeat(512)],
  ])(
    '%s for good: the settings stay, and the file is reported, now and at the next start',
    async (_what, text) => {
      const { config } = await during(() => writeFileSync(file, text));
      await vi.waitFor(() => expect(config.current.problems).not.toEqual([]), waitOptions);
      expect(config.current).toMatchObject({ origin: 'last-good', config: { role: 'hub', name: 'stage' } });
      // The note follows the settings, on a card that may be slow.
      await vi.waitFor(() => expect(readFileSync(note, 'utf8')).toContain('the file is empty'), waitOptions);
      const next = await open();
      expect(next.config.current).toMatchObject({
        origin: 'last-good',
        config: { role: 'hub', name: 'stage' },
      });
    },
  );

  it('uses the defaults if only a comment is left', async () => {
    const { config } = await during(() => writeFileSync(file, '# nothing\n'));
    await vi.waitFor(() => expect(config.current.config.role).toBe('auto'), waitOptions);
    expect(config.current.problems).toEqual([]);
  });
});
