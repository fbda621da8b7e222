import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mediaConfigSchema } from '../control/protocol.ts';
import { buildStun, StunAttribute, StunType } from '../datapath/ice/stun.ts';
import { buildReferenceTime, referenceEchoesIn } from '../rtp/extended-report.fake.ts';
import { middleOfNtp, ntpOfUnixMs, unixMsOfNtp } from '../rtp/ntp.ts';
import type { ReferenceEcho } from '../rtp/rtcp.ts';
import { buildCanonicalName, buildNack, buildReceiverReport } from '../rtp/rtcp-build.ts';
import { timestampDistance } from '../rtp/sequence.ts';
import { eventually, freeRtpPort } from '../signaling/media-rig.fake.ts';
import { LossyWay } from './lossy-way.fake.ts';
import { gapsOf, head, numbersOf, online, planes, play, stepsOf, viewed } from './plane-checks.fake.ts';
import { openPlaneRig, picture, SPS, Stream } from './plane-rig.fake.ts';
import { RawPeer } from './raw-peer.fake.ts';

/** How a viewer begins that knows its round trip. */
const knowing = Buffer.concat([head, buildReferenceTime({ ssrc: 1, ntp: ntpOfUnixMs(1_700_000_000_000) })]);

describe.each(planes)('The %s media plane', (kind) => {
  it('starts a viewer with the cached keyframe and continues live, byte by byte', async () => {
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

  it('puts late packets in their place', async () => {
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

  it('plays over IPv6 to a viewer without IPv4', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true, listenAddresses: ['::1'] });
    await using viewer = await viewed(rig);
    expect(viewer.answer.match(/^a=candidate:.*$/gm)).toEqual([
      expect.stringMatching(/ ::1 \d+ typ host\r?$/),
    ]);
    expect(gapsOf(viewer.packets)).toEqual([]);
  });

  it('retransmits what a viewer lost, once within a round trip', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    const [lost] = viewer.packets.slice(-1);
    const nack = Buffer.concat([knowing, buildNack(1, lost?.ssrc ?? 0, [lost?.sequence ?? 0])]);
    viewer.transport.sendRtcp(nack);
    viewer.transport.sendRtcp(nack);
    const stats = () => rig.service.feeds.stats(performance.now())[0]?.viewers[0];
    await eventually(() => stats()?.retransmitsRefused === 1, 'both requests are counted');
    expect(stats()?.retransmitted).toBe(1);
  });

  it('retransmits in a separate stream to a viewer that offers one', async () => {
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
      viewer.transport.sendRtcp(Buffer.concat([knowing, buildNack(1, ssrc, [sequence])]));
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

  it('sends a packet twice if a viewer asks again because the repetition was lost, too', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await play(rig.pipeline, 0, 5);
    await online(rig);
    const offered = ['a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96'];
    await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0', undefined, offered);
    await eventually(() => numbersOf(viewer.packets).includes(4), 'the viewer plays');
    const lost = viewer.packets.at(-1);
    const nack = Buffer.concat([knowing, buildNack(1, lost?.ssrc ?? 0, [lost?.sequence ?? 0])]);
    const repairs = () => viewer.packets.filter(({ payloadType }) => payloadType === 97);
    viewer.transport.sendRtcp(nack);
    await eventually(() => repairs().length === 1, 'it comes again');
    await sleep(50);
    viewer.transport.sendRtcp(nack);
    await eventually(() => repairs().length === 3, 'it comes twice');
    expect(new Set(repairs().map(({ payload }) => payload.toString('hex'))).size).toBe(1);
    const stats = () => rig.service.feeds.stats(performance.now())[0]?.viewers[0];
    await eventually(() => stats()?.retransmitted === 3, 'all of them are counted');
  });

  it('sends a lone loss twice at once to a viewer that does not know its round trip, several losses once', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    const first = viewer.packets[0];
    const stats = () => rig.service.feeds.stats(performance.now())[0]?.viewers[0];
    const request = (...lost: number[]) =>
      viewer.transport.sendRtcp(Buffer.concat([head, buildNack(1, first?.ssrc ?? 0, lost)]));
    const block = { ...{ ssrc: first?.ssrc ?? 0, lostTotal: 0, highestSequence: 9, jitter: 1 } };
    const report = { ...block, lossRatio: 0.03, lastReport: 0, delaySinceLastReport: 0 };
    viewer.transport.sendRtcp(buildReceiverReport(1, [report]));
    const sequences = viewer.sequences.slice(-5);
    request(...sequences.slice(0, 1));
    await eventually(() => stats()?.retransmitted === 2, 'it comes twice');
    request(...sequences.slice(1));
    await eventually(() => stats()?.retransmitted === 6, 'the others come once');
  });

  it('does not let a viewer wait for its repairs because it answered one report late', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    const stats = () => rig.service.feeds.stats(performance.now())[0]?.viewers[0];
    const answer = async (lateMs: number) => {
      const before = viewer.count('sender-report');
      await eventually(() => viewer.count('sender-report') > before, 'a report comes');
      const report = viewer.reports.findLast((one) => one.kind === 'sender-report');
      if (report?.kind !== 'sender-report') throw new Error('no report');
      await sleep(lateMs);
      const block = { ...{ ssrc: report.ssrc, lossRatio: 0, lostTotal: 0, highestSequence: 9, jitter: 1 } };
      const lastReport = middleOfNtp(report.ntp);
      viewer.transport.sendRtcp(buildReceiverReport(1, [{ ...block, lastReport, delaySinceLastReport: 0 }]));
    };
    await answer(0);
    await answer(500);
    await eventually(() => (stats()?.rttMs ?? 0) >= 500, 'it is shown');
    const lost = viewer.packets.at(-1);
    const nack = Buffer.concat([knowing, buildNack(1, lost?.ssrc ?? 0, [lost?.sequence ?? 0])]);
    viewer.transport.sendRtcp(nack);
    await eventually(() => stats()?.retransmitted === 1, 'it comes again');
    await sleep(200);
    viewer.transport.sendRtcp(nack);
    await eventually(() => stats()?.retransmitted === 3, 'and once more');
    expect(stats()?.retransmitsRefused).toBe(0);
  });

  it('continues without a gap, from a keyframe, when the pipeline restarts', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    Object.assign(rig.pipeline, { ssrc: 99, sequence: 60_000, timestamp: 5 });
    await play(rig.pipeline, 5, 5);
    await eventually(() => numbersOf(viewer.packets).includes(9), 'the new source comes');
    expect(gapsOf(viewer.packets)).toEqual([]);
    expect(Math.min(...stepsOf(viewer.packets))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...stepsOf(viewer.packets))).toBeLessThan(90_000 * 5);
  });

  it('splits what does not fit', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    rig.pipeline.picture(picture(5, false, 1, 3000));
    await play(rig.pipeline, 6, 1, false);
    await eventually(() => numbersOf(viewer.packets).includes(6), 'what follows comes');
    expect(gapsOf(viewer.packets)).toEqual([]);
    expect(Math.max(...viewer.packets.map(({ payload }) => payload.length))).toBeLessThanOrEqual(1400);
  });

  it('tells viewers the capture times, and learns their loss and round trip', async () => {
    const startedMs = Date.now();
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    await eventually(() => viewer.count('sender-report') > 0, 'a report comes');
    const report = viewer.reports.find((one) => one.kind === 'sender-report');
    if (report?.kind !== 'sender-report') throw new Error('no report');
    expect(unixMsOfNtp(report.ntp)).toBeGreaterThan(startedMs);
    expect(unixMsOfNtp(report.ntp)).toBeLessThan(Date.now() + 1);
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

  it('echoes the clocks of a viewer that only receives, so that it knows its round trip', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    await using viewer = await viewed(rig);
    const echoes: ReferenceEcho[] = [];
    viewer.transport.events.on('rtcp', (compound) => echoes.push(...referenceEchoesIn(compound)));
    const sentMs = performance.now();
    const [picture, sound] = [ntpOfUnixMs(1_700_000_000_000), ntpOfUnixMs(1_800_000_000_000)];
    const times = [
      { ssrc: 5, ntp: sound },
      { ssrc: 5, ntp: picture },
      { ssrc: 6, ntp: sound },
    ];
    viewer.transport.sendRtcp(Buffer.concat([head, ...times.map(buildReferenceTime)]));
    await eventually(() => echoes.length > 0, 'the echoes come');
    expect(echoes).toMatchObject([
      { ssrc: 5, lastReference: middleOfNtp(picture) },
      { ssrc: 6, lastReference: middleOfNtp(sound) },
    ]);
    for (const { delay } of echoes) {
      expect((delay * 1000) / 65536).toBeLessThanOrEqual(performance.now() - sentMs);
    }
    const reported = viewer.count('sender-report');
    await eventually(() => viewer.count('sender-report') > reported + 1, 'later reports come');
    expect(echoes).toHaveLength(2);
  });

  it('repairs occasional losses of a viewer, while others lose nothing', async () => {
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

  it('makes a viewer that loses more than can be repaired wait for a keyframe, and continues without a gap', async () => {
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

  it('forgets sessions that end, and nobody waits for them', async () => {
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

  it('recognises a keyframe that arrives after the next picture', async () => {
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

  it('reopens the port of a pipeline that it closed a moment ago', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    const rtpPort = await freeRtpPort();
    for (let i = 0; i < 30; i++) {
      const ingest = { feed: 'cam0', rtpPort, kind: 'h264', tellsCaptureTime: i % 2 === 0 };
      const config = { udpPort: 0, listenAddresses: ['127.0.0.1'], ingests: [ingest], pushes: [] };
      const { problems } = await rig.service.configure(mediaConfigSchema.parse(config));
      expect(problems).toEqual([]);
    }
  });

  it('ignores a single stray packet', async () => {
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

  it('continues when timestamps step back within one stream and when a lone picture is an hour off', async () => {
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
});
