import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { buildPictureLoss } from '../rtp/rtcp-build.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { timestampDistance } from '../rtp/sequence.ts';
import { eventually } from '../signaling/media-rig.fake.ts';
import { LossyWay } from './lossy-way.fake.ts';
import { gapsOf, head, numbersOf, online, planes, stepsOf, viewed } from './plane-checks.fake.ts';
import { openPlaneRig, picture, SPS } from './plane-rig.fake.ts';
import { RawPeer } from './raw-peer.fake.ts';

/** What came since the viewer started last. */
function sinceLastStart(viewer: RawPeer): RtpPacket[] {
  const starts = viewer.packets.filter(({ payload }) => payload.equals(SPS));
  const from = Math.max(...starts.map(({ sequence }) => sequence));
  return viewer.packets.filter(({ sequence }) => sequence >= from);
}

describe.each(planes)('On the %s media plane', (kind) => {
  it('restarts a viewer that lost its picture from the remembered keyframe if the publisher makes no new one', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    await sleep(2100);
    const before = viewer.packets.length;
    viewer.transport.sendRtcp(Buffer.concat([head, buildPictureLoss(1, viewer.packets[0]?.ssrc ?? 0)]));
    await eventually(() => viewer.packets.length > before, 'it starts again');
    await eventually(() => numbersOf(viewer.packets.slice(before)).includes(4), 'all of it comes');
    expect(viewer.packets[before]?.payload).toEqual(SPS);
    expect(gapsOf(viewer.packets)).toEqual([]);
    expect(Math.min(...stepsOf(viewer.packets))).toBeGreaterThanOrEqual(0);
  });
});

// In JavaScript the test's own receiver shares the thread with the sender: see node-sink.test.ts and node-relay.test.ts.
describe('On the native media plane', () => {
  it('shows the remembered keyframe again to a viewer that lost too much of it, if no new one is made', async () => {
    await using rig = await openPlaneRig('native', { ingest: true });
    for (let n = 0; n < 60; n++) {
      rig.pipeline.picture(picture(n, n === 0, 10, 1200));
      await sleep(3);
    }
    await online(rig);
    let media = 0;
    const [server] = rig.plane.bound;
    if (server === undefined) throw new Error('not bound');
    // Two of three packets of the first ones.
    using way = await LossyWay.open(server, () => media++ < 300 && media % 3 > 0);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0', () => way.entry);
    using _ = viewer.repairs();
    const shown = () => sinceLastStart(viewer).filter(({ payload }) => payload.length === 1200);
    const keyframe = () => shown().filter(({ payload }) => payload.readUInt32BE(1) === 0);
    await eventually(
      () =>
        numbersOf(shown()).includes(59) && new Set(keyframe().map(({ sequence }) => sequence)).size === 10,
      'the keyframe is whole and the newest picture comes',
      10_000,
    );
    expect(way.lost).toBeGreaterThan(150);
  });

  it('keeps ten seconds between keyframes, and shows a joining viewer the newest picture within a moment', async () => {
    await using rig = await openPlaneRig('native', { ingest: true });
    for (let n = 0; n < 300; n++) {
      // As many packets as 6 Mbit/s have, ten times as fast. Small ones, of which a socket holds more: this process receives them, too.
      rig.pipeline.picture(picture(n, n === 0, 20, 200));
      await sleep(3);
    }
    await online(rig);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    using _ = viewer.repairs();
    // What follows tells the viewer that it lost the last of them.
    let next = 300;
    const live = setInterval(() => rig.pipeline.picture(picture(next++, false, 20, 200)), 33);
    using _end = { [Symbol.dispose]: () => clearInterval(live) };
    const remembered = () => sinceLastStart(viewer).filter((packet) => (numbersOf([packet])[0] ?? 0) < 300);
    const isWhole = () => numbersOf(remembered()).includes(299) && gapsOf(remembered()).length === 0;
    await eventually(isWhole, 'the newest picture and all before it come', 15_000);
    const packets = remembered();
    expect(packets[0]?.payload).toEqual(SPS);
    expect(numbersOf(packets)[0]).toBe(0);
    // Ten seconds of pictures are a fifth of a second on the viewer's clock.
    const span = timestampDistance(packets[0]?.timestamp ?? 0, packets.at(-1)?.timestamp ?? 0);
    expect(span).toBeLessThan(90_000 * 0.3);
    expect(Math.min(...stepsOf(packets))).toBeGreaterThanOrEqual(0);
    expect(new Set(packets.map(({ timestamp }) => timestamp)).size).toBeGreaterThan(250);
  });
});
