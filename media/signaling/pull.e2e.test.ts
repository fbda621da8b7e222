import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nalType } from '../rtp/h264.ts';
import { H264Depacketizer } from '../rtp/h264-depacketizer.ts';
import { parseRtp } from '../rtp/rtp-packet.ts';
import { AccessUnits } from './access-units.fake.ts';
import { eventually, freeRtpPort, openMediaRig } from './media-rig.fake.ts';
import { AUDIO, NativePeer, VIDEO } from './native-peer.fake.ts';
import {
  makeH265Recording,
  makeRecording,
  nalsOfRecording,
  playH265,
  playRecording,
  startLiveSource,
} from './recording.fake.ts';

const FRAMES = 300;

describe('A feed pulled from another server', () => {
  let folder = '';
  let recording = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pull-'));
    recording = join(folder, 'recording.mkv');
    makeRecording(recording, FRAMES);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('arrives unchanged, NAL unit by NAL unit, with its sound', async () => {
    const reference = nalsOfRecording(recording, join(folder, 'recording.h264')).map(digest);
    await using there = await openMediaRig();
    await using here = await openMediaRig({ pulls: [{ feed: 'far', url: `${there.url}/whep/cam0` }] });
    using publisher = new NativePeer('SendOnly', { audio: true });
    await publisher.connect(`${there.url}/whip/cam0`);
    const played = playRecording(recording, 1, (kind, packet) => {
      const target = kind === 'video' ? VIDEO : AUDIO;
      if ((packet[1] ?? 0) >= 200 && (packet[1] ?? 0) <= 204) return;
      packet.writeUInt32BE(target.ssrc, 8);
      packet.writeUInt8((packet.readUInt8(1) & 0x80) | target.payloadType, 1);
      (kind === 'video' ? publisher.video : publisher.audio)?.sendMessageBinary(packet);
    });
    await eventually(() => here.service.feeds.get('far')?.ready === true, 'the copy is there');
    using viewer = new NativePeer('RecvOnly', { audio: true });
    const depacketizer = new H264Depacketizer();
    const nals: Buffer[] = [];
    let sounds = 0;
    viewer.onPacket('video', (packet) => nals.push(...depacketizer.push(packet.payload)));
    viewer.onPacket('audio', () => {
      sounds += 1;
    });
    await viewer.connect(`${here.url}/whep/far`);
    await played;
    await new Promise((resolve) => setTimeout(resolve, 500));

    const [feed] = here.service.feeds.stats(performance.now());
    expect(feed).toMatchObject({ feed: 'far', width: 640, height: 360, audioCodec: 'opus', packetsLost: 0 });
    expect(here.service.status().pulls).toMatchObject([{ feed: 'far', state: 'connected', reason: null }]);
    const received = nals.map(digest);
    const firstPicture = nals.findIndex((nal) => nalType(nal) === 5);
    const start = reference.indexOf(received[firstPicture] ?? '') - firstPicture;
    expect(start).toBeGreaterThanOrEqual(0);
    expect(received.length).toBeGreaterThan(400);
    expect(received).toEqual(reference.slice(start, start + received.length));
    expect(sounds).toBeGreaterThan(100);
  });

  it('in H.265 arrives unchanged, access unit by access unit, and a viewer without it hears why', async () => {
    const hevc = join(folder, 'hevc.mkv');
    makeH265Recording(hevc, 180);
    await using there = await openMediaRig();
    await using here = await openMediaRig({ pulls: [{ feed: 'far', url: `${there.url}/whep/cam0` }] });
    using publisher = new NativePeer('SendOnly', { audio: false, codec: 'h265' });
    await publisher.connect(`${there.url}/whip/cam0`);
    const sent = new AccessUnits('h265');
    const played = playH265(hevc, 1, (packet) => {
      packet.writeUInt32BE(VIDEO.ssrc, 8);
      packet.writeUInt8((packet.readUInt8(1) & 0x80) | VIDEO.payloadType, 1);
      const parsed = parseRtp(packet);
      if (parsed !== null) sent.push(parsed);
      publisher.video.sendMessageBinary(packet);
    });
    await eventually(() => here.service.feeds.get('far')?.ready === true, 'the copy is there');
    using viewer = new NativePeer('RecvOnly', { audio: false, codec: 'h265' });
    const received = new AccessUnits('h265');
    viewer.onPacket('video', (packet) => received.push(packet));
    await viewer.connect(`${here.url}/whep/far`);
    using other = new NativePeer('RecvOnly', { audio: false });
    await expect(other.connect(`${here.url}/whep/far`)).rejects.toThrow('this camera sends H.265');
    await played;
    await new Promise((resolve) => setTimeout(resolve, 500));

    const [feed] = here.service.feeds.stats(performance.now());
    expect(feed).toMatchObject({ feed: 'far', width: 320, height: 180, packetsLost: 0 });
    expect(feed?.codec).toMatch(/^hvc1\.1\./);
    expect(here.service.status().pulls).toMatchObject([{ feed: 'far', state: 'connected', reason: null }]);
    expect(received.digests.length).toBeGreaterThan(60);
    const start = sent.digests.indexOf(received.digests[0] ?? '');
    expect(start).toBeGreaterThanOrEqual(0);
    expect(received.digests).toEqual(sent.digests.slice(start, start + received.digests.length));
  });

  it('says why it is missing, and recovers soon after the server', async () => {
    const rtpPort = await freeRtpPort();
    await using there = await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] });
    await using here = await openMediaRig({ pulls: [{ feed: 'far', url: `${there.url}/whep/cam0` }] });
    const status = () => here.service.status().pulls[0];
    await eventually(() => status()?.state === 'failed', 'nobody publishes there');
    expect(status()).toMatchObject({ code: 'NO_PUBLISHER', reason: expect.stringContaining('409') });
    expect(here.service.feeds.stats(performance.now())).toMatchObject([{ feed: 'far', state: 'offline' }]);
    const source = startLiveSource(rtpPort);
    try {
      await eventually(() => here.service.feeds.get('far')?.ready === true, 'it came');
      expect(here.service.feeds.stats(performance.now())[0]?.publisher).toMatchObject({
        kind: 'pull',
        peer: `${there.url}/whep/cam0`,
      });
      using publisher = new NativePeer('SendOnly', { audio: false });
      await expect(publisher.connect(`${here.url}/whip/far`)).rejects.toThrow(/409|FEED_BUSY/);
    } finally {
      source.kill('SIGKILL');
    }
  });

  it('also ends at the server when it is removed', async () => {
    const rtpPort = await freeRtpPort();
    await using there = await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] });
    const source = startLiveSource(rtpPort);
    const config = {
      ...{ udpPort: 0, tcpPort: null, listenAddresses: ['127.0.0.1'], maxPublisherBitrateKbps: 20_000 },
      ...{ ingests: [], pushes: [], outputs: [], taps: [] },
    };
    await using here = await openMediaRig({ pulls: [{ feed: 'far', url: `${there.url}/whep/cam0` }] });
    try {
      await eventually(() => here.service.feeds.get('far')?.ready === true, 'it came');
      expect(there.service.status().sessions).toBe(1);
      await here.service.configure({ ...config, pulls: [] });
      expect(here.service.feeds.get('far')).toBeNull();
      await eventually(() => there.service.status().sessions === 0, 'the session ended there');
    } finally {
      source.kill('SIGKILL');
    }
  });
});

function digest(bytes: Buffer): string {
  return hash('sha256', bytes);
}
