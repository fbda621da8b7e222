/** A viewer goes from one layer of a feed to the other: what it may see of that, over both planes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { unixMsOfNtp } from '../rtp/ntp.ts';
import { buildCanonicalName, buildNack, buildReceiverReport } from '../rtp/rtcp-build.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { timestampDistance } from '../rtp/sequence.ts';
import { eventually } from '../signaling/media-rig.fake.ts';
import type { LayerWish } from '../signaling/media-session.ts';
import type { LayerName } from './layer.ts';
import { openPlaneRig, type PlaneRig, picture, Stream } from './plane-rig.fake.ts';
import { RawPeer } from './raw-peer.fake.ts';

const planes = ['native', 'JavaScript'] as const;
const head = Buffer.concat([buildReceiverReport(1, []), buildCanonicalName(1, 'test')]);
/** Pictures of the small layer have numbers from here on. */
const SMALL = 100_000;
const FRAME_MS = 10;

/** Sends pictures without end, a keyframe now and then or when it is asked for, until it is disposed of. */
class Camera implements AsyncDisposable {
  readonly peer: RawPeer;
  readonly stream: Stream;
  readonly #first: number;
  readonly #every: number;
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;
  requests = 0;
  resting = false;
  sent = 0;

  private constructor(peer: RawPeer, ssrc: number, first: number, every: number) {
    this.peer = peer;
    this.#first = first;
    this.#every = every;
    this.stream = new Stream((packet) => peer.send(packet));
    Object.assign(this.stream, { ssrc, timestamp: ssrc * 7_654_321 });
    this.#running = this.#run(this.#abort.signal);
  }

  static async open(rig: PlaneRig, layer: LayerName, every: number): Promise<Camera> {
    const peer = await RawPeer.publish(rig.service, 'cam0', layer, 'camera');
    return layer === 'low' ? new Camera(peer, 22, SMALL, every) : new Camera(peer, 11, 0, every);
  }

  async #run(signal: AbortSignal): Promise<void> {
    let asked = 0;
    let dueMs = performance.now();
    while (!signal.aborted) {
      this.requests = this.peer.count('picture-loss');
      const keyframe = this.sent % this.#every === 0 || this.requests > asked;
      asked = this.requests;
      const payloads = picture(this.#first + this.sent++, keyframe);
      // A paused layer keeps counting time.
      if (!this.resting) this.stream.picture(payloads);
      else this.stream.timestamp += 3000;
      // Pictures come as often as their times say.
      this.stream.timestamp += FRAME_MS * 90 - 3000;
      dueMs += FRAME_MS;
      await sleep(Math.max(0, dueMs - performance.now()));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#running;
    await this.peer[Symbol.asyncDispose]();
  }
}

interface Seen {
  readonly sequence: number;
  readonly timestamp: number;
  readonly number: number;
  readonly keyframe: boolean;
  readonly layer: LayerName;
}

/** The slices of pictures, in the order of their numbers. */
function slicesOf(packets: readonly RtpPacket[]): Seen[] {
  const slices = packets.filter(({ payload }) => payload.length > 4 && ((payload[0] ?? 0) & 0x1f) <= 5);
  return slices
    .map(({ sequence, timestamp, payload }) => {
      const number = payload.readUInt32BE(1);
      const layer: LayerName = number >= SMALL ? 'low' : 'high';
      return { sequence, timestamp, number, keyframe: ((payload[0] ?? 0) & 0x1f) === 5, layer };
    })
    .toSorted((a, b) => a.sequence - b.sequence);
}

/** Packets with which another layer than before begins. */
function changesOf(slices: readonly Seen[]): Seen[] {
  return slices.filter((slice, i) => i > 0 && slice.layer !== slices[i - 1]?.layer);
}

function gapsOf(packets: readonly RtpPacket[]): number[] {
  const came = new Set(packets.map(({ sequence }) => sequence));
  const first = Math.min(...came);
  const all = Array.from({ length: Math.max(...came) - first }, (_, i) => first + i);
  return all.filter((sequence) => !came.has(sequence));
}

function stepsOf(slices: readonly Seen[]): number[] {
  return slices.slice(1).map(({ timestamp }, i) => timestampDistance(slices[i]?.timestamp ?? 0, timestamp));
}

function select(rig: PlaneRig, viewer: RawPeer, wish: LayerWish) {
  return rig.service.selectLayer({ sessionId: viewer.sessionId, kind: 'whep', feed: 'cam0', wish });
}

async function online(rig: PlaneRig, layers: number): Promise<void> {
  await eventually(
    () => (rig.service.feeds.get('cam0')?.layers.length ?? 0) === layers,
    `${layers} layers are online`,
  );
}

/** Resolves once the newest pictures that came are of this layer. */
async function shows(viewer: RawPeer, layer: LayerName): Promise<void> {
  const from = viewer.packets.length;
  await eventually(() => {
    const newest = slicesOf(viewer.packets.slice(from)).slice(-4);
    return newest.length === 4 && newest.every((slice) => slice.layer === layer);
  }, `the viewer gets ${layer}`);
}

/** It changed twice, each time at a keyframe, and missed nothing. */
function wentToLowAndBack({ packets }: RawPeer): void {
  const changes = changesOf(slicesOf(packets)).map(({ layer, keyframe }) => ({ layer, keyframe }));
  expect(changes).toEqual([
    { layer: 'low', keyframe: true },
    { layer: 'high', keyframe: true },
  ]);
  expect(gapsOf(packets)).toEqual([]);
}

describe.each(planes)('Layers of a feed on the %s media plane', (kind) => {
  it('change at a keyframe, without a gap and without a step back in time', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using _high = await Camera.open(rig, 'high', 40);
    await using _low = await Camera.open(rig, 'low', 30);
    await online(rig, 2);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await shows(viewer, 'high');
    for (const layer of ['low', 'high', 'low', 'low', 'high'] as const) {
      expect(select(rig, viewer, { layer })).toEqual({ layer, paused: false });
      await shows(viewer, layer);
    }
    const slices = slicesOf(viewer.packets);
    const changes = changesOf(slices);
    expect(changes.map(({ layer }) => layer)).toEqual(['low', 'high', 'low', 'high']);
    expect(changes.filter(({ keyframe }) => !keyframe)).toEqual([]);
    expect(gapsOf(viewer.packets)).toEqual([]);
    expect(Math.min(...stepsOf(slices))).toBeGreaterThanOrEqual(0);
    // Both layers show the same moment, so that no change moves the picture away from the clock.
    expect(Math.max(...stepsOf(slices))).toBeLessThan(90_000 / 2);
    expect(new Set(viewer.packets.map(({ ssrc }) => ssrc)).size).toBe(1);
  });

  it('ask the publisher of the requested layer for a keyframe, and keep sending the other until it arrives', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using high = await Camera.open(rig, 'high', 40);
    await using low = await Camera.open(rig, 'low', 100_000);
    await online(rig, 2);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await shows(viewer, 'high');
    // An old keyframe is not used as a start if the publisher is known to make new ones.
    rig.service.feeds.get('cam0')?.openLow().requestKeyframe();
    await eventually(() => low.requests > 0, 'the publisher makes one');
    await sleep(3300);
    const before = { high: high.requests, low: low.requests, sent: low.sent };
    select(rig, viewer, { layer: 'low' });
    await shows(viewer, 'low');
    expect(low.requests).toBeGreaterThan(before.low);
    expect(high.requests).toBe(before.high);
    const [first] = changesOf(slicesOf(viewer.packets));
    expect(first?.keyframe).toBe(true);
    expect(first?.number).toBeGreaterThanOrEqual(SMALL + before.sent);
    expect(gapsOf(viewer.packets)).toEqual([]);
  });

  it('reach a viewer that requested the small one before it existed; when it ends, the full one returns', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using _high = await Camera.open(rig, 'high', 20);
    await online(rig, 1);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    expect(select(rig, viewer, { layer: 'low' })).toEqual({ layer: 'high', paused: false });
    await shows(viewer, 'high');
    {
      await using _low = await Camera.open(rig, 'low', 20);
      await online(rig, 2);
      await shows(viewer, 'low');
      expect(rig.service.feeds.stats(performance.now())[0]?.viewers[0]?.layer).toBe('low');
    }
    await shows(viewer, 'high');
    wentToLowAndBack(viewer);
  });

  it('replace one another: if the full one stops, everybody gets the small one', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using high = await Camera.open(rig, 'high', 20);
    await using _low = await Camera.open(rig, 'low', 20);
    await online(rig, 2);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await shows(viewer, 'high');
    // As of a browser whose link is narrow: it is connected, and sends one layer only.
    high.resting = true;
    await shows(viewer, 'low');
    expect(rig.service.feeds.get('cam0')?.state).toBe('online');
    await using late = await RawPeer.open(rig.service, 'whep', 'cam0');
    await shows(late, 'low');
    high.resting = false;
    await shows(viewer, 'high');
    wentToLowAndBack(viewer);
  });

  it('are chosen by size if none is named', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using _high = await Camera.open(rig, 'high', 20);
    await using _low = await Camera.open(rig, 'low', 20);
    await online(rig, 2);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    expect(select(rig, viewer, { maxWidth: 320 }).layer).toBe('low');
    expect(select(rig, viewer, { maxWidth: 4000, maxHeight: 100 }).layer).toBe('low');
    expect(select(rig, viewer, { maxWidth: 4000, maxHeight: 4000 }).layer).toBe('high');
    expect(select(rig, viewer, {}).layer).toBe('high');
  });

  it('send nothing to a paused viewer, and resume with a keyframe of the layer it wants by then', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using _high = await Camera.open(rig, 'high', 20);
    await using _low = await Camera.open(rig, 'low', 20);
    await online(rig, 2);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await shows(viewer, 'high');
    expect(select(rig, viewer, { paused: true })).toEqual({ layer: 'high', paused: true });
    await sleep(150);
    const paused = viewer.packets.length;
    await sleep(300);
    expect(viewer.packets).toHaveLength(paused);
    select(rig, viewer, { layer: 'low' });
    await shows(viewer, 'low');
    const slices = slicesOf(viewer.packets);
    expect(changesOf(slices).map(({ keyframe }) => keyframe)).toEqual([true]);
    expect(gapsOf(viewer.packets)).toEqual([]);
    expect(Math.min(...stepsOf(slices))).toBeGreaterThanOrEqual(0);
  });

  it('send nothing to a viewer that pauses while changing from one to the other', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using _high = await Camera.open(rig, 'high', 20);
    await using low = await Camera.open(rig, 'low', 100_000);
    await online(rig, 2);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await shows(viewer, 'high');
    // The small layer is known to make keyframes on request, and its last one is old: the viewer has to wait for another.
    rig.service.feeds.get('cam0')?.openLow().requestKeyframe();
    await eventually(() => low.requests > 0, 'the publisher makes one');
    await sleep(3300);
    expect(select(rig, viewer, { layer: 'low', paused: true })).toEqual({ layer: 'low', paused: true });
    await sleep(50);
    const before = viewer.packets.length;
    rig.service.feeds.get('cam0')?.openLow().requestKeyframe();
    await sleep(800);
    expect(slicesOf(viewer.packets.slice(before))).toEqual([]);
    select(rig, viewer, { layer: 'low' });
    await shows(viewer, 'low');
    expect(gapsOf(viewer.packets)).toEqual([]);
  });

  it('retransmit nothing of the other layer', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using _high = await Camera.open(rig, 'high', 20);
    await using _low = await Camera.open(rig, 'low', 20);
    await online(rig, 2);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await shows(viewer, 'high');
    const [old] = viewer.packets.slice(-1);
    select(rig, viewer, { layer: 'low' });
    await shows(viewer, 'low');
    viewer.transport.sendRtcp(Buffer.concat([head, buildNack(1, old?.ssrc ?? 0, [old?.sequence ?? 0])]));
    const stats = () => rig.service.feeds.stats(performance.now())[0]?.viewers[0];
    await eventually(() => stats()?.retransmitsRefused === 1, 'it is refused');
    expect(stats()?.retransmitted).toBe(0);
  });

  it('keep their place on the clock: reports after a change date its pictures', async () => {
    const startedMs = Date.now();
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using _high = await Camera.open(rig, 'high', 20);
    await using _low = await Camera.open(rig, 'low', 20);
    await online(rig, 2);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await shows(viewer, 'high');
    select(rig, viewer, { layer: 'low' });
    await shows(viewer, 'low');
    const before = viewer.count('sender-report');
    await eventually(() => viewer.count('sender-report') > before, 'a report comes');
    const report = viewer.reports.findLast((one) => one.kind === 'sender-report');
    const newest = slicesOf(viewer.packets).at(-1);
    const reported = report?.kind === 'sender-report' ? report : null;
    // The newest picture was taken during this test. The clocks of the two cameras differ by a quarter of an hour.
    const aheadMs = timestampDistance(reported?.rtpTimestamp ?? 0, newest?.timestamp ?? 0) / 90;
    const sinceMs = Date.now() - unixMsOfNtp(reported?.ntp ?? { seconds: 0, fraction: 0 });
    expect(Math.abs(aheadMs - sinceMs)).toBeLessThan(Date.now() - startedMs);
  });

  it('belong to one publisher: nobody can add a small layer to the feed of somebody else', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using _high = await Camera.open(rig, 'high', 20);
    await online(rig, 1);
    await expect(RawPeer.publish(rig.service, 'cam0', 'low', 'another')).rejects.toMatchObject({
      code: 'FEED_BUSY',
    });
  });

  it('are published separately where nobody needs a key, as in a simulation, and not taken over', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using _high = await RawPeer.publish(rig.service, 'cam0', 'high', null);
    await using _low = await RawPeer.publish(rig.service, 'cam0', 'low', null);
    for (const layer of ['high', 'low'] as const) {
      const again = RawPeer.publish(rig.service, 'cam0', layer, null);
      await expect(again).rejects.toMatchObject({ code: 'FEED_BUSY' });
    }
  });
});
