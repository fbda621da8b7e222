import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mediaConfigSchema } from '../control/protocol.ts';
import type { IceCredentials } from '../datapath/datapath.ts';
import { buildStun, hasIntegrity, parseStun, StunAttribute, StunType } from '../datapath/ice/stun.ts';
import { ntpOfUnixMs, unixMsOfNtp } from '../rtp/ntp.ts';
import {
  buildCanonicalName,
  buildNack,
  buildPictureLoss,
  buildReceiverReport,
  buildSenderReport,
} from '../rtp/rtcp-build.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { timestampDistance } from '../rtp/sequence.ts';
import { eventually, freeRtpPort } from '../signaling/media-rig.fake.ts';
import { LossyWay } from './lossy-way.fake.ts';
import type { MediaPlane } from './media-plane.ts';
import { openPlane, openPlaneRig, type PlaneRig, picture, SPS, Stream } from './plane-rig.fake.ts';
import { RawPeer } from './raw-peer.fake.ts';

const planes = ['native', 'JavaScript'] as const;
const head = Buffer.concat([buildReceiverReport(1, []), buildCanonicalName(1, 'test')]);

/** Sends pictures in quick succession, the first one a keyframe where `keyframe` says so. */
async function play(stream: Stream, from: number, count: number, keyframe = true): Promise<void> {
  for (let n = from; n < from + count; n++) {
    stream.picture(picture(n, keyframe && n === from));
    await sleep(5);
  }
}

async function online(rig: PlaneRig): Promise<void> {
  await eventually(() => rig.service.feeds.get('cam0')?.ready === true, 'the feed is online');
}

/** A viewer of a pipeline that sent pictures 0 to 4 and goes on with 5. */
async function viewed(rig: PlaneRig): Promise<RawPeer> {
  await play(rig.pipeline, 0, 5);
  await online(rig);
  const viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
  await eventually(() => numbersOf(viewer.packets).includes(4), 'the viewer plays');
  return viewer;
}

/** The numbers of the pictures, as their packets came. */
function numbersOf(packets: readonly RtpPacket[]): number[] {
  return packets
    .filter(({ payload }) => payload.length > 4 && ((payload[0] ?? 0) & 0x1f) <= 5)
    .map(({ payload }) => payload.readUInt32BE(1));
}

/** Which numbers are missing between the first and the last that came. */
function gapsOf(packets: readonly RtpPacket[]): number[] {
  const came = new Set(packets.map(({ sequence }) => sequence));
  const [first, last] = [Math.min(...came), Math.max(...came)];
  return Array.from({ length: last - first }, (_, i) => first + i).filter((sequence) => !came.has(sequence));
}

/** Steps of time from picture to picture, in 1/90000 s. */
function stepsOf(packets: readonly RtpPacket[]): number[] {
  const times = packets.toSorted((a, b) => a.sequence - b.sequence).map(({ timestamp }) => timestamp);
  return times.slice(1).map((time, i) => timestampDistance(times[i] ?? 0, time));
}

/** What a check gets by the names of one side and the other; null for silence. */
async function answerTo(
  plane: MediaPlane,
  local: IceCredentials,
  remoteUfrag: string,
): Promise<number | null> {
  const name = Buffer.from(`${local.ufrag}:${remoteUfrag}`);
  const check = buildStun(StunType.REQUEST, randomBytes(12), [[StunAttribute.USERNAME, name]], local.pwd);
  const socket = createSocket('udp4');
  const answered = once(socket, 'message').then(([datagram]) => parseStun(datagram as Buffer)?.type ?? null);
  socket.send(check, plane.bound[0]?.port ?? 0, '127.0.0.1');
  const answer = await Promise.race([answered, sleep(300, null)]);
  socket.close();
  return answer;
}

describe.each(planes)('The %s media plane', (kind) => {
  it('starts a viewer with the cached keyframe and goes on live, byte by byte', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    const live = rig.pipeline.picture(picture(5, false, 3));
    await eventually(
      () => numbersOf(viewer.packets).filter((n) => n === 5).length === 3,
      'what is new comes',
    );
    expect(viewer.packets[0]?.payload).toEqual(SPS);
    expect(gapsOf(viewer.packets)).toEqual([]);
    expect(viewer.packets.slice(-3).map(({ payload }) => payload)).toEqual(
      live.map(({ payload }) => payload),
    );
    expect(viewer.packets.at(-1)).toMatchObject({ marker: true, payloadType: 96 });
  });

  it('puts late packets where they belong', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    const sent = rig.pipeline.picture(picture(5, false, 4), [1]);
    await play(rig.pipeline, 6, 2, false);
    await eventually(() => numbersOf(viewer.packets).includes(7), 'the viewer goes on');
    expect(gapsOf(viewer.packets)).toHaveLength(1);
    if (sent[1] !== undefined) rig.pipeline.send(sent[1]);
    await eventually(() => gapsOf(viewer.packets).length === 0, 'the late one comes');
    const sorted = viewer.packets.toSorted((a, b) => a.sequence - b.sequence);
    expect(numbersOf(sorted)).toEqual(numbersOf(sorted).toSorted((a, b) => a - b));
  });

  it('sends again what a viewer lost, once within a round trip', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    const [lost] = viewer.packets.slice(-1);
    const nack = Buffer.concat([head, buildNack(1, lost?.ssrc ?? 0, [lost?.sequence ?? 0])]);
    viewer.transport.sendRtcp(nack);
    viewer.transport.sendRtcp(nack);
    const stats = () => rig.service.feeds.stats(performance.now())[0]?.viewers[0];
    await eventually(() => stats()?.retransmitsRefused === 1, 'both requests are counted');
    expect(stats()?.retransmitted).toBe(1);
  });

  it('sends again in a stream of its own to a viewer that offers one', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await play(rig.pipeline, 0, 5);
    await online(rig);
    const offered = ['a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96'];
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0', undefined, offered);
    await eventually(() => numbersOf(viewer.packets).includes(4), 'the viewer plays');
    const [first, last] = [viewer.packets.at(-2), viewer.packets.at(-1)];
    if (first === undefined || last === undefined) throw new Error('nothing came');
    const group = /^a=ssrc-group:FID (\d+) (\d+)\r$/m.exec(viewer.answer);
    expect(Number(group?.[1])).toBe(last.ssrc);
    for (const ssrc of [group?.[1], group?.[2]])
      expect(viewer.answer).toContain(`a=ssrc:${ssrc} msid:cam0 video`);
    for (const { sequence, ssrc } of [first, last])
      viewer.transport.sendRtcp(Buffer.concat([head, buildNack(1, ssrc, [sequence])]));
    const repairs = () => viewer.packets.filter(({ payloadType }) => payloadType === 97);
    await eventually(() => repairs().length === 2, 'both come again');
    const [one, two] = repairs();
    expect([one?.ssrc, two?.ssrc]).toEqual([Number(group?.[2]), Number(group?.[2])]);
    expect(((two?.sequence ?? 0) - (one?.sequence ?? 0)) & 0xffff).toBe(1);
    const number = Buffer.alloc(2);
    number.writeUInt16BE(last.sequence);
    expect(two?.payload).toEqual(Buffer.concat([number, last.payload]));
    expect([two?.timestamp, two?.marker]).toEqual([last.timestamp, last.marker]);
  });

  it('goes on without a gap when the pipeline restarts, from its keyframe on', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    Object.assign(rig.pipeline, { ssrc: 99, sequence: 60_000, timestamp: 5 });
    await play(rig.pipeline, 5, 5);
    await eventually(() => numbersOf(viewer.packets).includes(9), 'the new source comes');
    expect(gapsOf(viewer.packets)).toEqual([]);
    expect(Math.min(...stepsOf(viewer.packets))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...stepsOf(viewer.packets))).toBeLessThan(90_000 * 5);
  });

  it('cuts what does not fit', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    rig.pipeline.picture(picture(5, false, 1, 3000));
    await play(rig.pipeline, 6, 1, false);
    await eventually(() => numbersOf(viewer.packets).includes(6), 'what follows comes');
    expect(gapsOf(viewer.packets)).toEqual([]);
    expect(Math.max(...viewer.packets.map(({ payload }) => payload.length))).toBeLessThanOrEqual(1400);
  });

  it('asks a publisher for what is missing, and passes on that viewers need a keyframe', async () => {
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

  it('tells viewers when pictures were taken, and learns their loss and round trip', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    await eventually(() => viewer.count('sender-report') > 0, 'a report comes');
    const report = viewer.reports.find((one) => one.kind === 'sender-report');
    if (report?.kind !== 'sender-report') throw new Error('no report');
    expect(Math.abs(unixMsOfNtp(report.ntp) - Date.now())).toBeLessThan(2000);
    const newest = viewer.packets.at(-1);
    expect(Math.abs(timestampDistance(newest?.timestamp ?? 0, report.rtpTimestamp))).toBeLessThan(90_000 * 3);
    const lastReport = ((report.ntp.seconds & 0xffff) * 65536 + (report.ntp.fraction >>> 16)) >>> 0;
    const block = { ...{ ssrc: report.ssrc, lossRatio: 0.25, lostTotal: 3, highestSequence: 9, jitter: 1 } };
    const answer = buildReceiverReport(1, [{ ...block, lastReport, delaySinceLastReport: 0 }]);
    viewer.transport.sendRtcp(Buffer.concat([answer, buildCanonicalName(1, 'test')]));
    const stats = () => rig.service.feeds.stats(performance.now())[0]?.viewers[0];
    await eventually(() => stats()?.rttMs !== null, 'the round trip is known');
    expect(stats()).toMatchObject({ lossRatio: 0.25, connected: true });
  });

  it('mends what a viewer loses now and then, while others lose nothing', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using other = await viewed(rig);
    let turn = 0;
    const [server] = rig.plane.bound;
    if (server === undefined) throw new Error('not bound');
    // Each 33rd packet, repetitions included.
    using way = await LossyWay.open(server, () => ++turn % 33 === 0);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0', () => way.entry);
    using _ = viewer.repairs();
    await play(rig.pipeline, 5, 300);
    await eventually(() => numbersOf(viewer.packets).includes(304), 'the last picture comes');
    await eventually(() => gapsOf(viewer.packets).length === 0, 'all of it comes', 3000);
    expect(way.lost).toBeGreaterThan(10);
    expect(gapsOf(other.packets)).toEqual([]);
    const stats = rig.service.feeds.stats(performance.now())[0]?.viewers;
    expect(stats?.every(({ skippedFrames }) => skippedFrames === 0)).toBe(true);
  });

  it('lets a viewer that loses more than can be mended wait for a keyframe, and go on without a gap', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    rig.pipeline.picture(picture(5, false, 40, 1200));
    await eventually(() => numbersOf(viewer.packets).filter((n) => n === 5).length === 40, 'all of it comes');
    const lost = viewer.sequences.slice(-40);
    const nack = Buffer.concat([head, buildNack(1, viewer.packets[0]?.ssrc ?? 0, lost)]);
    for (let i = 0; i < 4; i++) {
      viewer.transport.sendRtcp(nack);
      await sleep(30);
    }
    const before = viewer.packets.length;
    await play(rig.pipeline, 6, 2, false);
    await play(rig.pipeline, 8, 2);
    await eventually(() => numbersOf(viewer.packets).includes(9), 'it goes on');
    const after = viewer.packets.slice(before);
    expect(numbersOf(after)).not.toContain(6);
    expect(gapsOf(viewer.packets)).toEqual([]);
    const stats = () => rig.service.feeds.stats(performance.now())[0]?.viewers[0];
    await eventually(() => stats()?.skippedFrames === 2, 'what it missed is counted');
  });

  it('forgets sessions that end, and lets nobody wait for them', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    for (let i = 0; i < 3; i++) {
      await using viewer = await viewed(rig);
      expect(viewer.packets.length).toBeGreaterThan(0);
    }
    await eventually(() => rig.plane.stats.transports === 0, 'all are gone');
    expect(rig.service.feeds.get('cam0')?.viewers.size).toBe(0);
  });

  it('lets nobody take the address that a peer sends from, which is easily forged', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    const port = rig.plane.bound[0]?.port ?? 0;
    // Somebody stands between a publisher and the plane, and speaks from its address.
    const between = createSocket('udp4');
    between.bind(0, '127.0.0.1');
    await once(between, 'listening');
    let inside = 0;
    between.on('message', (datagram, from) => {
      if (from.port !== port) inside = from.port;
      between.send(datagram, from.port === port ? inside : port, '127.0.0.1');
    });
    const way = () => ({ address: '127.0.0.1', port: between.address().port });
    await using publisher = await RawPeer.open(rig.service, 'whip', 'cam0', way);
    const stream = new Stream((packet) => publisher.send(packet));
    await play(stream, 0, 5);
    await online(rig);
    const stranger = await rig.plane.openTransport('lite');
    const remote = { ufrag: 'peer', pwd: 'p'.repeat(22), candidates: [] };
    stranger.connect({ ...remote, fingerprints: [], dtlsRole: 'server' });
    const name = Buffer.from(`${stranger.local.ufrag}:peer`);
    const check = buildStun(
      StunType.REQUEST,
      randomBytes(12),
      [[StunAttribute.USERNAME, name]],
      stranger.local.pwd,
    );
    between.send(check, port, '127.0.0.1');
    await sleep(5);
    await play(stream, 5, 20, false);
    await eventually(() => rig.service.feeds.get('cam0')?.video.frames === 25, 'every picture arrives', 2000);
    stranger.close();
    between.close();
  });

  it('takes a keyframe that comes later than the next picture for one all the same', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    const sent = rig.pipeline.picture(picture(0, true), [2, 3]);
    rig.pipeline.picture(picture(1, false));
    await sleep(50);
    for (const late of sent.slice(2)) rig.pipeline.send(late);
    await online(rig);
    const viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    await eventually(() => numbersOf(viewer.packets).includes(1), 'the viewer has both pictures');
    expect(numbersOf(viewer.packets)).toContain(0);
  });

  it('opens the port of a pipeline again that it gave back a moment ago', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    const rtpPort = await freeRtpPort();
    for (let i = 0; i < 30; i++) {
      const ingest = { feed: 'cam0', rtpPort, kind: 'h264', tellsCaptureTime: i % 2 === 0 };
      const config = { udpPort: 0, listenAddresses: ['127.0.0.1'], ingests: [ingest], pushes: [] };
      const { problems } = await rig.service.configure(mediaConfigSchema.parse(config));
      expect(problems).toEqual([]);
    }
  });

  it('lets one stray packet change nothing', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    const [slice] = picture(77, true).slice(-1);
    const stray = { ssrc: 1, sequence: 40_000, timestamp: 1, marker: true, payload: slice ?? SPS };
    rig.pipeline.send(stray);
    rig.pipeline.send({ ...stray, ssrc: rig.pipeline.ssrc });
    await play(rig.pipeline, 5, 5, false);
    await eventually(() => numbersOf(viewer.packets).includes(9), 'the viewer goes on');
    expect(numbersOf(viewer.packets)).not.toContain(77);
    expect(gapsOf(viewer.packets)).toEqual([]);
  });

  it('goes on when timestamps step back within one stream, and when a lone picture is an hour off', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    const regular = rig.pipeline.timestamp;
    rig.pipeline.timestamp = regular + 3600 * 90_000;
    await play(rig.pipeline, 5, 1, false);
    rig.pipeline.timestamp = regular;
    await play(rig.pipeline, 6, 4, false);
    rig.pipeline.timestamp -= 60 * 90_000;
    await play(rig.pipeline, 10, 5, false);
    await eventually(() => numbersOf(viewer.packets).includes(14), 'the viewer goes on');
    expect(gapsOf(viewer.packets)).toEqual([]);
    for (const step of stepsOf(viewer.packets)) expect(Math.abs(step)).toBeLessThan(90_000 * 2);
    const frames = (): number => rig.service.feeds.stats(performance.now())[0]?.framesTotal ?? 0;
    // Whether the one that was an hour off counts is a matter of taste.
    await eventually(() => frames() >= 14, 'pictures count');
  });

  it('repairs pictures whose oversize packets were lost', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    rig.pipeline.picture(picture(5, false, 2, 2000));
    const [, small, large] = rig.pipeline.picture(
      [...picture(6, false, 2, 2000), ...picture(6, false, 1, 2000)],
      [1, 2],
    );
    await play(rig.pipeline, 7, 2, false);
    await eventually(() => numbersOf(viewer.packets).includes(8), 'the viewer goes on');
    expect(gapsOf(viewer.packets).length).toBeGreaterThanOrEqual(2);
    for (const late of [large, small]) if (late !== undefined) rig.pipeline.send(late);
    await eventually(() => gapsOf(viewer.packets).length === 0, 'the late ones come');
    const sorted = viewer.packets.toSorted((a, b) => a.sequence - b.sequence);
    expect(Math.min(...stepsOf(sorted))).toBeGreaterThanOrEqual(0);
  });

  it('asks a publisher for the parameter sets that its keyframes lack', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using publisher = await RawPeer.open(rig.service, 'whip', 'cam0');
    const stream = new Stream((packet) => publisher.send(packet));
    stream.picture(picture(0, true).slice(2));
    await eventually(() => publisher.count('picture-loss') > 0, 'a keyframe is asked for');
  });

  it('leaves a hole to the publisher that is about to repair it', async () => {
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

  it('takes a publisher back that comes with the same SSRC and other numbers', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await rig.service.configure({
      ...{ udpPort: 0, listenAddresses: ['127.0.0.1'], maxPublisherBitrateKbps: 20_000 },
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

  it('follows a publisher whose clock is set, instead of telling viewers its wrong time', async () => {
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

  it('shows the old keyframe where the publisher makes no new one', async () => {
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

  it('answers checks by the names in use, however many ICE restarts came to nothing', async () => {
    await using plane = await openPlane(kind);
    await plane.listen({ udpPort: 0, listenAddresses: ['127.0.0.1'] });
    const transport = await plane.openTransport('lite');
    const remote = { ufrag: 'peer', pwd: 'p'.repeat(22), candidates: [] };
    transport.connect({ ...remote, fingerprints: [], dtlsRole: 'server' });
    const names = transport.local;
    expect(await answerTo(plane, names, 'peer')).toBe(StunType.SUCCESS);
    for (let i = 0; i < 12; i++) transport.restartIce({ ...remote, ufrag: `other${i}` });
    expect(await answerTo(plane, names, 'peer')).toBe(StunType.SUCCESS);
    // The newest names work, too, and end the others.
    expect(await answerTo(plane, transport.local, 'other11')).toBe(StunType.SUCCESS);
    expect(await answerTo(plane, names, 'peer')).toBeNull();
    transport.close();
  });
});

describe('The native media plane', () => {
  it('answers checks over IPv6, from the address that was asked', async () => {
    await using plane = await openPlane('native');
    await plane.listen({ udpPort: 0, listenAddresses: ['::1'] });
    const transport = await plane.openTransport('lite');
    transport.connect({
      ...{ ufrag: 'peer', pwd: 'p'.repeat(22), candidates: [], fingerprints: [], dtlsRole: 'server' },
    });
    const { ufrag, pwd } = transport.local;
    const transaction = Buffer.alloc(12, 7);
    const name = Buffer.from(`${ufrag}:peer`);
    const check = buildStun(StunType.REQUEST, transaction, [[StunAttribute.USERNAME, name]], pwd);
    const socket = createSocket('udp6');
    const answered = once(socket, 'message');
    socket.send(check, plane.bound[0]?.port ?? 0, '::1');
    const [datagram, from] = (await answered) as [Buffer, { address: string }];
    socket.close();
    const answer = parseStun(datagram);
    expect(from.address).toBe('::1');
    expect(answer).toMatchObject({ type: StunType.SUCCESS, transaction });
    expect(answer !== null && hasIntegrity(datagram, answer, pwd)).toBe(true);
    expect(answer?.attributes.get(StunAttribute.XOR_MAPPED_ADDRESS)).toHaveLength(20);
    transport.close();
  });

  it('starts a viewer that lost its picture with the remembered keyframe, where the publisher makes no new one', async () => {
    await using rig = await openPlaneRig('native', { ingest: true });
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

  it('shows the remembered keyframe once more to a viewer that lost too much of it, where no new one is made', async () => {
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
    /** Packets of the pictures since the viewer started last. */
    const shown = () => {
      const starts = viewer.packets.filter(({ payload }) => payload.equals(SPS));
      const from = Math.max(...starts.map(({ sequence }) => sequence));
      return viewer.packets.filter(({ payload, sequence }) => payload.length === 1200 && sequence > from);
    };
    const keyframe = () => shown().filter(({ payload }) => payload.readUInt32BE(1) === 0);
    await eventually(
      () =>
        numbersOf(shown()).includes(59) && new Set(keyframe().map(({ sequence }) => sequence)).size === 10,
      'the keyframe is whole and the newest picture comes',
      10_000,
    );
    expect(way.lost).toBeGreaterThan(150);
  });

  it('keeps ten seconds from keyframe to keyframe, and shows a joining viewer the newest within a moment', async () => {
    await using rig = await openPlaneRig('native', { ingest: true });
    for (let n = 0; n < 300; n++) {
      // 6 Mbit/s, sent ten times as fast.
      rig.pipeline.picture(picture(n, n === 0, 20, 1200));
      await sleep(3);
    }
    await online(rig);
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
    using _ = viewer.repairs();
    await eventually(() => numbersOf(viewer.packets).includes(299), 'the newest picture comes', 10_000);
    expect(viewer.packets[0]?.payload).toEqual(SPS);
    expect(numbersOf(viewer.packets)[0]).toBe(0);
    // Ten seconds of pictures are a fifth of a second on the viewer's clock.
    const [first, last] = [viewer.packets[0], viewer.packets.at(-1)];
    const span = timestampDistance(first?.timestamp ?? 0, last?.timestamp ?? 0);
    expect(span).toBeLessThan(90_000 * 0.3);
    expect(Math.min(...stepsOf(viewer.packets))).toBeGreaterThanOrEqual(0);
    expect(new Set(viewer.packets.map(({ timestamp }) => timestamp)).size).toBeGreaterThan(250);
  });
});
