import { expect, test } from 'vitest';
import { LayerKeeper, type LayerTurn } from './layer-keeper.ts';
import { type LayerWish, unplaced } from './layer-wish.ts';
import type { ReceiveSample } from './receive-stats.ts';

const layers = [
  { rid: 'high', width: 1280, height: 720, fps: 30, bitrateKbps: 3000 },
  { rid: 'low', width: 640, height: 360, fps: 30, bitrateKbps: 300 },
] as const;
const grid = { ...unplaced, width: 190 };

const begin = () => {
  const asked: LayerWish[] = [];
  const clock = { ms: 0 };
  const answers: ((taken: boolean) => void)[] = [];
  const turns: LayerTurn['kind'][] = [];
  const keeper = new LayerKeeper(
    () => clock.ms,
    () => 1,
    ({ kind }) => turns.push(kind),
  );
  keeper.setLayers(layers);
  keeper.setPlace(grid);
  const select = (wish: LayerWish) => {
    asked.push(wish);
    return new Promise<boolean>((resolve) => answers.push(resolve));
  };
  const answer = async (taken = true) => {
    answers.shift()?.(taken);
    await Promise.resolve();
    await Promise.resolve();
  };
  return { keeper, asked, turns, clock, select, answer };
};

/** A second of the full layer, after so many before it. */
const sampleAt = (second: number, over: Partial<ReceiveSample> = {}): ReceiveSample => ({
  atMs: second * 1000,
  framesDecoded: second * 30,
  framesDropped: 0,
  bytesReceived: second * 400_000,
  packetsReceived: second * 300,
  packetsLost: 0,
  freezeCount: 0,
  freezesS: 0,
  jitterBufferDelayS: 0,
  jitterBufferEmitted: 0,
  decodeS: 0,
  width: 1280,
  height: 720,
  rttMs: 10,
  ...over,
});

test('asks for a layer at once, and again when its tile becomes large, is hidden and comes back', async () => {
  const { keeper, asked, select, answer } = begin();
  keeper.setSession(select);
  await answer();
  keeper.setPlace({ ...grid, large: true });
  await answer();
  keeper.setPlace({ ...grid, visible: false });
  expect(keeper.paused).toBe(true);
  await answer();
  keeper.setPlace({ ...grid, large: true });
  await answer();
  expect(asked).toEqual([
    { rid: 'low', paused: false },
    { rid: 'high', paused: false },
    { rid: 'low', paused: true },
    { rid: 'high', paused: false },
  ]);
});

test('says before a request that the picture will begin again, and not if the feed has one layer only', async () => {
  const { keeper, asked, turns, select, answer } = begin();
  keeper.setSession(select);
  await answer();
  expect(turns).toEqual([]);
  keeper.setPlace({ ...grid, large: true });
  await answer();
  expect(turns).toEqual(['layer']);
  keeper.setPlace({ ...grid, visible: false });
  await answer();
  keeper.setPlace(grid);
  await answer();
  expect(turns).toEqual(['layer', 'resume']);
  keeper.setLayers(layers.slice(0, 1));
  keeper.setPlace({ ...grid, large: true });
  await answer();
  expect(turns).toEqual(['layer', 'resume']);
  expect(asked).toHaveLength(5);
});

test('asks for changes during a request after it, and only for the latest', async () => {
  const { keeper, asked, select, answer } = begin();
  keeper.setSession(select);
  keeper.setPlace({ ...grid, large: true });
  keeper.setPlace({ ...grid, visible: false });
  keeper.setPlace(grid);
  keeper.setPlace({ ...grid, large: true });
  expect(asked).toHaveLength(1);
  await answer();
  expect(asked).toEqual([
    { rid: 'low', paused: false },
    { rid: 'high', paused: false },
  ]);
});

test('repeats a failed request, but not at once, and pauses nothing', async () => {
  const { keeper, asked, clock, select, answer } = begin();
  keeper.setPlace({ ...grid, visible: false });
  keeper.setSession(select);
  await answer(false);
  expect(keeper.paused).toBe(false);
  keeper.setLayers(layers);
  expect(asked).toHaveLength(1);
  clock.ms += 2000;
  keeper.setLayers(layers);
  expect(asked).toHaveLength(2);
});

test('a new session does not inherit the requests of the one before', async () => {
  const { keeper, asked, select, answer } = begin();
  keeper.setSession(select);
  await answer();
  keeper.setSession(null);
  expect(keeper.paused).toBe(false);
  keeper.setSession((wish) => select(wish));
  expect(asked).toHaveLength(2);
});

test('a link that cannot carry the full layer gets the small one, and the full one again later', async () => {
  const { keeper, asked, clock, select, answer } = begin();
  keeper.setSession(select);
  await answer();
  keeper.setPlace({ ...grid, large: true });
  await answer();
  let lost = 0;
  let before = sampleAt(0);
  for (let second = 1; second <= 8; second++) {
    clock.ms += 1000;
    lost += 60;
    const sample = sampleAt(second, { packetsLost: lost });
    keeper.look(before, sample);
    before = sample;
    await answer();
  }
  expect(keeper.narrow).toBe(true);
  expect(asked.at(-1)).toEqual({ rid: 'low', paused: false });
  const small = { width: 640, height: 360 };
  for (let second = 9; second <= 25 && keeper.narrow; second++) {
    clock.ms += 1000;
    keeper.look(sampleAt(second - 1, small), sampleAt(second, small));
    await answer();
  }
  expect(keeper.narrow).toBe(false);
  expect(asked.at(-1)).toEqual({ rid: 'high', paused: false });
});
