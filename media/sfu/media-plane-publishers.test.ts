import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ntpOfUnixMs } from '../rtp/ntp.ts';
import { buildNack, buildPictureLoss, buildSenderReport } from '../rtp/rtcp-build.ts';
import { timestampDistance } from '../rtp/sequence.ts';
import { eventually } from '../signaling/media-rig.fake.ts';
import { gapsOf, head, numbersOf, online, planes, play, stepsOf } from './plane-checks.fake.ts';
import { openPlaneRig, picture, SPS, Stream } from './plane-rig.fake.ts';
import { RawPeer } from './raw-peer.fake.ts';

describe.each(planes)('A publisher on the %s media plane', (kind) => {
  it('asks a publisher for missing packets, and passes on keyframe requests of viewers', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using publisher = await RawPeer.open(rig.service, 'whip', 'cam0');
    const stream = new Stream((packet) => publisher.send(packet));
    await play(stream, 0, 5);
    await online(rig);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await eventually(() => numbersOf(viewer.packets).includes(4), 'the viewer plays');
    const [, lost] = stream.picture(picture(5, false, 3), [1]);
    await eventually(() => publisher.count('nack') > 0, 'it is asked for');
    const nack = publisher.reports.find((report) => report.kind === 'nack');
    expect(nack).toMatchObject({ mediaSsrc: stream.ssrc, lost: [lost?.sequence] });
    if (lost !== undefined) publisher.send(lost);
    await eventually(() => gapsOf(viewer.packets).length === 0, 'it reaches the viewer');
    const before = publisher.count('picture-loss');
    viewer.transport.sendRtcp(Buffer.concat([head, buildPictureLoss(1, viewer.packets[0]?.ssrc ?? 0)]));
    await eventually(() => publisher.count('picture-loss') > before, 'the keyframe is asked for');
    await eventually(() => publisher.count('remb') > 0, 'reports come');
  });

  it('asks a publisher for the parameter sets that its keyframes lack', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using publisher = await RawPeer.open(rig.service, 'whip', 'cam0');
    const stream = new Stream((packet) => publisher.send(packet));
    stream.picture(picture(0, true).slice(2));
    await eventually(() => publisher.count('picture-loss') > 0, 'a keyframe is asked for');
  });

  it('leaves a gap for the publisher that is about to repair it', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using publisher = await RawPeer.open(rig.service, 'whip', 'cam0');
    const stream = new Stream((packet) => publisher.send(packet));
    await play(stream, 0, 5);
    await online(rig);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await eventually(() => numbersOf(viewer.packets).includes(4), 'the viewer plays');
    const before = publisher.count('picture-loss');
    const [, lost] = stream.picture(picture(5, false, 3), [1]);
    await eventually(() => gapsOf(viewer.packets).length === 1, 'there is a hole');
    const hole = gapsOf(viewer.packets);
    viewer.transport.sendRtcp(Buffer.concat([head, buildNack(1, viewer.packets[0]?.ssrc ?? 0, hole)]));
    await sleep(100);
    if (lost !== undefined) publisher.send(lost);
    await eventually(() => gapsOf(viewer.packets).length === 0, 'it is repaired');
    expect(publisher.count('picture-loss')).toBe(before);
  });

  it('accepts a publisher that returns with the same SSRC and other numbers', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await rig.service.configure({
      ...{ udpPort: 0, tcpPort: null, listenAddresses: ['127.0.0.1'], maxPublisherBitrateKbps: 20_000 },
      ...{ ingests: [], pushes: [], outputs: [], pulls: [], taps: [] },
    });
    const first = await RawPeer.open(rig.service, 'whip', 'cam0');
    const before = new Stream((packet) => first.send(packet));
    await play(before, 0, 5);
    await online(rig);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await eventually(() => numbersOf(viewer.packets).includes(4), 'the viewer plays');
    await first[Symbol.asyncDispose]();
    await eventually(() => rig.service.feeds.get('cam0')?.source === null, 'the publisher is gone');
    await using second = await RawPeer.open(rig.service, 'whip', 'cam0');
    const after = new Stream((packet) => second.send(packet));
    after.sequence = before.sequence + 1500;
    after.timestamp = 7;
    await play(after, 5, 5);
    await eventually(() => numbersOf(viewer.packets).includes(9), 'the viewer goes on');
    expect(gapsOf(viewer.packets)).toEqual([]);
    expect(Math.min(...stepsOf(viewer.packets))).toBeGreaterThanOrEqual(0);
  });

  it('follows a publisher whose clock is set, instead of passing on its wrong time', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using publisher = await RawPeer.open(rig.service, 'whip', 'cam0');
    const stream = new Stream((packet) => publisher.send(packet));
    await play(stream, 0, 5);
    await online(rig);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await eventually(() => numbersOf(viewer.packets).includes(4), 'the viewer plays');
    const report = (clockAheadMs: number): void => {
      const ntp = ntpOfUnixMs(Date.now() + clockAheadMs);
      const { ssrc, timestamp: rtpTimestamp } = stream;
      publisher.transport.sendRtcp(buildSenderReport({ ssrc, ntp, rtpTimestamp, packets: 9, octets: 9 }));
    };
    report(0);
    await sleep(50);
    report(-7_200_000);
    const count = viewer.count('sender-report');
    await eventually(() => viewer.count('sender-report') > count + 1, 'reports come');
    const told = viewer.reports.findLast((one) => one.kind === 'sender-report');
    if (told?.kind !== 'sender-report') throw new Error('no report');
    const newest = viewer.packets.at(-1)?.timestamp ?? 0;
    expect(Math.abs(timestampDistance(newest, told.rtpTimestamp))).toBeLessThan(90_000 * 5);
  });

  it('shows the old keyframe if the publisher makes no new one', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using publisher = await RawPeer.open(rig.service, 'whip', 'cam0');
    const stream = new Stream((packet) => publisher.send(packet));
    await play(stream, 0, 5);
    for (let n = 5; n < 75; n++) {
      stream.picture(picture(n, false));
      await sleep(50);
    }
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await eventually(() => viewer.packets.length > 0, 'a picture comes', 2000);
    expect(viewer.packets[0]?.payload).toEqual(SPS);
    expect(publisher.count('picture-loss')).toBeGreaterThan(0);
  });
});
