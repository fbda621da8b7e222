import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, describe, expect, test } from 'vitest';
import { maxOutputs } from '../../../media/index.ts';
import { parseConfig } from '../../config/parse.ts';
import type { Feed } from '../../contract/index.ts';
import type { OutputFigures } from '../media-flows.ts';
import { Outputs } from './outputs.ts';
import { Lingering, sendableFeeds } from './targets.ts';

const folder = mkdtempSync(join(tmpdir(), 'outputs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const feedOf = (id: string, change: Partial<Feed> = {}): Feed => ({
  id,
  label: id.toUpperCase(),
  state: 'online',
  reason: null,
  codec: 'avc1.42e01f',
  audioCodec: null,
  width: 1280,
  height: 720,
  fps: 30,
  bitrateKbps: 3000,
  framesTotal: 1,
  packetsLost: 0,
  lossRatio: 0,
  latencyMs: null,
  keyframeAgeMs: 10,
  publisher: { kind: 'whip', camera: null, sinceMs: 1 },
  layers: [],
  viewers: [],
  ...change,
});

const figuresOf = (output: string, feed: string, change: Partial<OutputFigures> = {}): OutputFigures => ({
  output,
  feed,
  layer: 'high',
  state: 'connected',
  reason: null,
  code: null,
  retryInMs: null,
  connections: 1,
  sinceMs: Date.parse('2026-11-30T10:00:00.000Z'),
  viewer: { bitrateKbps: 3000, lossRatio: 0, rttMs: 20, skippedFrames: 0 },
  ...change,
});

function settingsOf(...tables: string[]) {
  const parsed = parseConfig(tables.map((lines) => `[[output]]\n${lines}\n`).join(''));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config.output;
}

function open() {
  const world = { feeds: [] as Feed[], figures: [] as OutputFigures[], mediaRuns: true, reconfigured: 0 };
  const lines: string[] = [];
  const outputs = new Outputs({
    configFile: join(folder, 'rushlight.toml'),
    feeds: () => world.feeds,
    expected: () => [],
    mediaRuns: () => world.mediaRuns,
    figures: () => world.figures,
    reconfigure: async () => {
      world.reconfigured++;
      outputs.wanted();
    },
    log: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }),
  });
  return { world, outputs, lines };
}

const cloud =
  'id = "cloud"\nfeed = "cam0"\nurl = "https://live.example.com:8443/whip/a-long-stream-key"\ntoken = "tok-1"';

describe('An output', () => {
  test('is sent with its secrets, and shown without them', async () => {
    const { world, outputs, lines } = open();
    world.feeds = [feedOf('cam0')];
    await outputs.apply(settingsOf(cloud));
    expect(outputs.wanted()).toMatchObject([{ output: 'cloud', feed: 'cam0', token: 'tok-1', ca: null }]);
    const [shown] = outputs.status();
    expect(shown).toMatchObject({
      label: 'cloud',
      server: 'https://live.example.com:8443',
      state: 'connecting',
    });
    expect(JSON.stringify(shown) + lines.join()).not.toMatch(/tok-1|stream-key/);
  });

  test('reports its state and why', async () => {
    const { world, outputs } = open();
    await outputs.apply(settingsOf(cloud));
    const state = () =>
      outputs.status().map(({ state, reason, bitrateKbps }) => [state, reason, bitrateKbps])[0];
    expect(state()).toEqual(['waiting', 'There is no feed "cam0" now.', 0]);
    world.feeds = [feedOf('cam0')];
    world.figures = [figuresOf('cloud', 'cam0')];
    expect(state()).toEqual(['live', null, 3000]);
    const failed = {
      viewer: null,
      state: 'failed',
      reason: 'The server refused the token (401).',
      retryInMs: 30_000,
    } as const;
    world.figures = [figuresOf('cloud', 'cam0', failed)];
    expect(state()).toEqual(['failed', failed.reason, 0]);
    expect(outputs.status()[0]?.flows[0]?.retryAt).toBe('2026-11-30T10:00:30.000Z');
    // The next try is under way: nothing is better yet.
    world.figures = [figuresOf('cloud', 'cam0', { ...failed, state: 'connecting', retryInMs: null })];
    expect(state()).toEqual(['failed', failed.reason, 0]);
    world.figures = [figuresOf('cloud', 'cam0', { viewer: null })];
    world.feeds = [feedOf('cam0', { state: 'offline', reason: 'CAM0 was unplugged.', publisher: null })];
    expect(state()).toEqual(['waiting', 'CAM0 was unplugged.', 0]);
    world.feeds = [feedOf('cam0', { codec: 'mjpeg' })];
    expect(state()?.[1]).toContain('JPEG pictures');
    world.mediaRuns = false;
    expect(state()?.[0]).toBe('waiting');
    await outputs.apply(settingsOf(`${cloud}\nenabled = false`));
    expect(state()?.[0]).toBe('off');
    expect(outputs.wanted()).toEqual([]);
  });

  test('keeps the time of its last change of state', async () => {
    const { world, outputs } = open();
    world.feeds = [feedOf('cam0')];
    await outputs.apply(settingsOf(cloud));
    const since = outputs.status()[0]?.since;
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(outputs.status()[0]?.since).toBe(since);
    world.figures = [figuresOf('cloud', 'cam0')];
    expect(outputs.status()[0]?.since).not.toBe(since);
  });

  test('with an unreadable file says so, is retried, and does not block the others', async () => {
    const { world, outputs, lines } = open();
    world.feeds = [feedOf('cam0')];
    const other = 'id = "other"\nfeed = "cam0"\nurl = "http://hub/whip/{feed}"\ntoken_file = "key"';
    const settings = settingsOf(cloud, other);
    await outputs.apply(settings);
    await outputs.apply(settings);
    expect(outputs.hasBroken).toBe(true);
    expect(outputs.wanted().map(({ output }) => output)).toEqual(['cloud']);
    expect(outputs.status()[1]).toMatchObject({ state: 'failed', reason: expect.stringContaining('key') });
    expect(lines).toHaveLength(1);
    writeFileSync(join(folder, 'key'), 'tok-2\n');
    await outputs.apply(settings);
    expect(outputs.hasBroken).toBe(false);
    expect(outputs.wanted()[1]).toMatchObject({ url: 'http://hub/whip/cam0', token: 'tok-2' });
  });
});

describe('A file of an output', () => {
  const url = 'url = "https://hub/whip"';
  test.each([
    ['token_file', '', 'holds no token'],
    ['token_file', 'two tokens', 'holds no token'],
    ['token_file', 'tok\nen', 'holds no token'],
    ['token_file', 'tökén', 'holds no token'],
    ['ca_file', 'no certificate', 'holds no certificate'],
    [
      'ca_file',
      `-----BEGIN CERTIFICATE-----\n${'A'.repeat(9000)}\n-----END CERTIFICATE-----\n`,
      'larger than 8 KB',
    ],
  ])('is named and never reaches the media process: %s, case %#', async (key, text, words) => {
    const { outputs } = open();
    writeFileSync(join(folder, 'file'), text);
    await outputs.apply(settingsOf(cloud, `id = "other"\nfeed = "cam0"\n${url}\n${key} = "file"`));
    expect(outputs.status()[1]).toMatchObject({ state: 'failed', reason: expect.stringContaining(words) });
    expect(outputs.status()[1]?.reason).toMatch(/\.$/);
    expect(outputs.wanted().map(({ output }) => output)).toEqual(['cloud']);
  });
});

describe('An output of every feed', () => {
  const all = 'id = "all"\nfeed = "*"\nurl = "http://hub/whip/{feed}"';

  test('follows the feeds and reports a change only if there is one', async () => {
    const { world, outputs } = open();
    await outputs.apply(settingsOf(all));
    expect(outputs.wanted()).toEqual([]);
    expect(outputs.status()).toMatchObject([{ state: 'waiting', reason: 'There is no feed now.' }]);
    world.feeds = [feedOf('cam0'), feedOf('cam1'), feedOf('old', { codec: 'mjpeg' })];
    outputs.look();
    outputs.look();
    expect(world.reconfigured).toBe(1);
    expect(outputs.wanted().map(({ url }) => url)).toEqual(['http://hub/whip/cam0', 'http://hub/whip/cam1']);
    // Its publisher reconnects: what was open stays open.
    world.feeds = [feedOf('cam0')];
    outputs.look();
    expect(world.reconfigured).toBe(1);
    world.figures = [
      figuresOf('all', 'cam0'),
      figuresOf('all', 'cam1', { state: 'failed', reason: 'Somebody else publishes there.', viewer: null }),
    ];
    expect(outputs.status()).toMatchObject([
      { state: 'failed', reason: 'cam1: Somebody else publishes there.', bitrateKbps: 3000 },
    ]);
  });

  test('sends as many as the limit allows', async () => {
    const { world, outputs } = open();
    world.feeds = Array.from({ length: 40 }, (_, i) => feedOf(`f${i}`));
    await outputs.apply(settingsOf(all, all.replace('"all"', '"again"')));
    expect(outputs.wanted()).toHaveLength(maxOutputs);
  });
});

test('includes feeds that are published or expected', () => {
  const gone = { state: 'offline', publisher: null, codec: null } as const;
  const feeds = [feedOf('a'), feedOf('b', gone), feedOf('c', gone), feedOf('d', gone)];
  const expected = [
    { id: 'b', state: 'waiting' },
    { id: 'c', state: 'stopped' },
  ] as const;
  expect(sendableFeeds(feeds, expected)).toEqual(['a', 'b']);
});

test('keeps feeds that left for a while', () => {
  const lingering = new Lingering(100);
  expect(lingering.see(['b', 'a'], 0)).toEqual(['a', 'b']);
  expect(lingering.see(['a'], 100)).toEqual(['a', 'b']);
  expect(lingering.see(['a'], 101)).toEqual(['a']);
});
