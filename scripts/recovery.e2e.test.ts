import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SequenceUnwrapper } from '../media/rtp/sequence.ts';
import { NativePeer } from '../media/signaling/native-peer.fake.ts';
import type { Feed, Status, Take } from '../supervisor/contract/index.ts';
import { type ApplianceProcess, freeUdpPort, startAppliance } from './testing/appliance-process.ts';
import {
  decodeMaster,
  missingNumbers,
  readTake,
  referenceMd5,
  type TakeOnDisk,
} from './testing/take-files.ts';

const fps = 25;
const size = { width: 320, height: 180 };
const cameras = ['cam0', 'cam1'];
const patientMs = 60_000;

const config = (udpPort: number) => `
role = "hub"
name = "recovery"
[devices]
adopt = "ask"
[media]
udp_port = ${udpPort}
addresses = ["127.0.0.1"]
[masters]
strategy = "direct"
${cameras
  .map(
    (id) =>
      `[[source]]\nid = "${id}"\nkind = "test"\nwidth = ${size.width}\nheight = ${size.height}\nfps = ${fps}\n`,
  )
  .join('')}`;

/** Every process the appliance consists of, by name. */
async function processes(data: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const folder = join(data, 'run', 'children');
  const files = (await readdir(folder)).filter((name) => /^(media|capture|record).*\.json$/.test(name));
  for (const file of ['../supervisor.json', ...files]) {
    const { pid, name = 'supervisor' }: { pid: number; name?: string } = JSON.parse(
      await readFile(join(folder, file), 'utf8'),
    );
    found.set(name, pid);
  }
  return found;
}

/** What a kill cost one camera of a take. */
interface Cost {
  readonly segments: number;
  /** As take.json states it. */
  readonly droppedFrames: number;
  /** As the numbers burnt into the frames of each segment say. */
  readonly missingWithin: number;
  /** What had been captured when the process was killed, and is in no master; null if the segment continued. */
  readonly lostBeforeKillMs: number | null;
  /** From the last frame of one segment to the first of the next. */
  readonly gapMs: number | null;
}

/** Holds take.json, the frame logs and the decoded masters of a camera against each other. */
async function costOf(take: TakeOnDisk, camera: string, killedAtMs: number): Promise<Cost> {
  const record = take.manifest.cameras[camera];
  if (record === undefined) throw new Error(`take.json has no ${camera}`);
  expect(record).toMatchObject({ state: 'verified', reason: null });
  let missingWithin = 0;
  for (const segment of record.segments) {
    expect(segment.verified).toMatchObject({ ok: true, proof: 'bit-exact', problems: [] });
    const decoded = await decodeMaster(join(take.folder, segment.file), size.width, size.height);
    expect(decoded.complaints).toBe('');
    expect(decoded.md5).toHaveLength(segment.frames);
    expect(decoded.md5).toEqual(await referenceMd5(take, segment));
    missingWithin += missingNumbers(decoded.numbers);
  }
  const { droppedFrames, segments } = record;
  const [first, second] = segments;
  const lastMs = Date.parse(first?.lastTimestamp ?? '');
  return {
    segments: segments.length,
    droppedFrames,
    missingWithin,
    lostBeforeKillMs: second === undefined ? null : killedAtMs - lastMs,
    gapMs: second === undefined ? null : Date.parse(second.firstTimestamp ?? '') - lastMs,
  };
}

interface Report {
  readonly cost: (camera: string) => Cost;
}

describe('killed processes recover by themselves, and the rest continues', { timeout: 240_000 }, () => {
  let appliance: ApplianceProcess;

  beforeAll(async () => {
    appliance = await startAppliance({ config: config(await freeUdpPort()) });
    await live('both feeds are live at first', 120_000);
  }, 150_000);

  afterAll(async () => {
    await appliance[Symbol.asyncDispose]();
  });

  /** Until frames of every camera keep arriving. */
  async function live(what: string, timeoutMs = patientMs): Promise<void> {
    const counts = async () => {
      const feeds = await appliance.get<Feed[]>('/api/feeds');
      return cameras.map(
        (id) => feeds.find((feed) => feed.id === id && feed.state === 'online')?.framesTotal,
      );
    };
    await appliance.until(
      what,
      async () => {
        const before = await counts();
        await sleep(1200);
        const after = await counts();
        return cameras.every((_, index) => (after[index] ?? 0) > (before[index] ?? Number.POSITIVE_INFINITY));
      },
      timeoutMs,
    );
    const { sources } = await appliance.get<Status>('/api/status');
    expect(sources.map(({ state }) => state)).toEqual(cameras.map(() => 'running'));
  }

  async function recorded(id: string, frames: number): Promise<void> {
    await appliance.until(
      `${frames} frames more on every camera`,
      async () => {
        const take = await appliance.get<Take>(`/api/takes/${id}`);
        return take.state === 'recording' && take.cameras.every((camera) => camera.frames >= frames);
      },
      patientMs,
    );
  }

  /**
   * Kills one process in the middle of a take, and lets the take continue once it is back. Other processes that may restart
   * are named in `replaced`; everything else must still be the same process.
   */
  async function takeWithKill(
    victim: RegExp,
    { replaced, signal = 'SIGKILL' }: { replaced?: RegExp; signal?: NodeJS.Signals } = {},
  ): Promise<Report> {
    const { id } = await appliance.post<Take>('/api/takes');
    await recorded(id, 2 * fps);
    const before = await processes(appliance.data);
    const pidOf = (all: ReadonlyMap<string, number>) => [...all].find(([name]) => victim.test(name))?.[1];
    const killedAtMs = Date.now();
    process.kill(pidOf(before) ?? Number.NaN, signal);
    await appliance.until(
      `${victim} comes back`,
      async () => {
        const now = pidOf(await processes(appliance.data));
        return now !== undefined && now !== pidOf(before);
      },
      patientMs,
    );
    const backAfterMs = Date.now() - killedAtMs;
    await live(`every camera is live after ${victim} was killed`);
    const after = await processes(appliance.data);
    for (const [name, pid] of before) {
      if (victim.test(name) || replaced?.test(name) === true) continue;
      expect([name, after.get(name)]).toEqual([name, pid]);
    }
    await recorded(id, 2 * fps);
    await sleep(1500);
    await appliance.post<Take>(`/api/takes/${id}/stop`);
    await appliance.until(
      'the take is verified',
      async () => (await appliance.get<Take>(`/api/takes/${id}`)).state === 'verified',
      patientMs,
    );
    const take = await readTake(appliance.data, id);
    const costs = new Map<string, Cost>();
    for (const camera of cameras) costs.set(camera, await costOf(take, camera, killedAtMs));
    console.log(`${signal} to ${victim}: a new process after ${backAfterMs} ms`, Object.fromEntries(costs));
    return { cost: (camera) => costs.get(camera) as Cost };
  }

  /** An independent WHEP client on a feed. */
  async function watch(feed: string) {
    const peer = new NativePeer('RecvOnly', { audio: false });
    const unwrapper = new SequenceUnwrapper();
    const seen = new Set<number>();
    peer.onPacket('video', ({ sequence }) => void seen.add(unwrapper.unwrap(sequence)));
    await peer.connect(`${appliance.url}/whep/${feed}`);
    await appliance.until('the viewer gets packets', async () => seen.size > 20, patientMs);
    return {
      stillWatches: async () => {
        const before = seen.size;
        await appliance.until('the viewer goes on', async () => seen.size > before + 50, patientMs);
      },
      missing: () => Math.max(...seen) - Math.min(...seen) + 1 - seen.size,
      [Symbol.dispose]: () => peer[Symbol.dispose](),
    };
  }

  const nothing = { segments: 1, droppedFrames: 0, missingWithin: 0 };

  test('the media process: no capture and no recorder is affected, no frame of a master is lost', async () => {
    const { cost } = await takeWithKill(/^media$/);
    for (const camera of cameras) expect(cost(camera)).toMatchObject(nothing);
  });

  test('a hanging media process: the same', async () => {
    const { cost } = await takeWithKill(/^media$/, { signal: 'SIGSTOP' });
    for (const camera of cameras) expect(cost(camera)).toMatchObject(nothing);
  });

  test('a capture pipeline: its master loses less than a second, the other camera nothing, viewers stay', async () => {
    using viewer = await watch('cam0');
    const { cost } = await takeWithKill(/^capture-cam0$/, { replaced: /^record-.*-cam0-/ });
    expect(cost('cam1')).toMatchObject(nothing);
    expect(cost('cam0')).toMatchObject({ segments: 2, missingWithin: 0 });
    expect(cost('cam0').lostBeforeKillMs).toBeLessThan(1000);
    await viewer.stillWatches();
    // How fast a program starts is the machine's affair; it is printed. What was lost meanwhile is stated.
    expect(cost('cam0').droppedFrames).toBeGreaterThan(0);
  });

  test('the supervisor: pictures and recorders continue and are taken over, no frame is lost', async () => {
    using viewer = await watch('cam0');
    const { cost } = await takeWithKill(/^supervisor$/);
    await viewer.stillWatches();
    expect(viewer.missing()).toBe(0);
    for (const camera of cameras) expect(cost(camera)).toMatchObject(nothing);
  });

  test('a recorder: its master loses less than a second, nothing else is affected', async () => {
    const { cost } = await takeWithKill(/^record-.*-cam0-/);
    expect(cost('cam1')).toMatchObject(nothing);
    expect(cost('cam0')).toMatchObject({ segments: 2, missingWithin: 0 });
    expect(cost('cam0').droppedFrames).toBeLessThanOrEqual(fps);
  });
});
