import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../signaling/media-rig.fake.ts';
import { numbersOf, online, planes } from './plane-checks.fake.ts';
import { openPlaneRig, type PlaneRig, picture } from './plane-rig.fake.ts';
import { RawPeer } from './raw-peer.fake.ts';

/** So many viewers, of pictures with so many packets, are worth several threads: see `fan-out.h`. */
const VIEWERS = 24;
const PACKETS = 45;

/** Threads that help the native datapath. */
function helpers(): number {
  return readdirSync('/proc/self/task').filter((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim() === 'datapath-helper';
    } catch {
      return false; // it ended meanwhile
    }
  }).length;
}

async function play(rig: PlaneRig, from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n++) {
    rig.pipeline.picture(picture(n, n % 10 === 0, PACKETS, 300));
    await sleep(15);
  }
}

/** It got everything since it joined, each packet once and in order. */
function expectWhole({ sequences, packets }: RawPeer): void {
  const steps = sequences.slice(1).map((sequence, i) => (sequence - (sequences[i] ?? 0)) & 0xffff);
  expect(new Set(steps)).toEqual(new Set([1]));
  const numbers = numbersOf(packets);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
}

describe.each(planes)('A large audience of the %s media plane', (kind) => {
  it('gets every packet once and in order while others join and leave', async () => {
    {
      await using rig = await openPlaneRig(kind, { ingest: true });
      await play(rig, 0, 2);
      await online(rig);
      await using left = new AsyncDisposableStack();
      const join = async () => left.use(await RawPeer.open(rig.service, 'whep', 'cam0'));
      const viewers = await Promise.all(Array.from({ length: VIEWERS }, join));
      for (let n = 2; n < 14; n += 4) {
        await play(rig, n, 4);
        viewers.push(await join());
        const leaving = viewers.shift();
        if (leaving !== undefined) rig.service.closeSession({ sessionId: leaving.sessionId });
      }
      await play(rig, 14, 3);
      const isWhole = ({ packets }: RawPeer) => numbersOf(packets).filter((n) => n === 16).length === PACKETS;
      await eventually(() => viewers.every(isWhole), 'everybody has the last picture', 15_000);
      for (const viewer of viewers) expectWhole(viewer);
      if (kind === 'native') expect(helpers() > 0).toBe(availableParallelism() > 1);
    }
    expect(helpers()).toBe(0);
  }, 60_000);
});
