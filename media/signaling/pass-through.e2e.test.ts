import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nalType } from '../rtp/h264.ts';
import { H264Depacketizer } from '../rtp/h264-depacketizer.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { sequenceDistance } from '../rtp/sequence.ts';
import { openMediaRig } from './media-rig.fake.ts';
import { AUDIO, NativePeer, VIDEO } from './native-peer.fake.ts';
import { makeRecording, nalsOfRecording, playRecording } from './recording.fake.ts';

const FRAMES = 420;

describe('A recorded stream with audio, published by WHIP and viewed by WHEP', () => {
  let folder = '';
  let recording = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pass-through-'));
    recording = join(folder, 'recording.mkv');
    makeRecording(recording, FRAMES);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('arrives byte by byte as it was sent', async () => {
    const reference = nalsOfRecording(recording, join(folder, 'recording.h264')).map(digest);
    await using rig = await openMediaRig();
    using publisher = new NativePeer('SendOnly', { audio: true });
    await publisher.connect(`${rig.url}/whip/cam0`);
    const sentAudio: string[] = [];
    const played = playRecording(recording, 2, (kind, packet) => {
      const target = kind === 'video' ? VIDEO : AUDIO;
      if ((packet[1] ?? 0) >= 200 && (packet[1] ?? 0) <= 204) return;
      packet.writeUInt32BE(target.ssrc, 8);
      packet.writeUInt8((packet.readUInt8(1) & 0x80) | target.payloadType, 1);
      if (kind === 'audio') sentAudio.push(digest(packet.subarray(12)));
      (kind === 'video' ? publisher.video : publisher.audio)?.sendMessageBinary(packet);
    });

    using viewer = new NativePeer('RecvOnly', { audio: true });
    const video: RtpPacket[] = [];
    const audio: string[] = [];
    viewer.onPacket('video', (packet) => video.push(packet));
    viewer.onPacket('audio', (packet) => audio.push(digest(packet.payload)));
    await viewer.connect(`${rig.url}/whep/cam0`);
    await played;
    const [feed] = rig.service.feeds.stats(performance.now());
    expect(feed).toMatchObject({ audioCodec: 'opus', width: 640, height: 360, packetsLost: 0 });
    await new Promise((resolve) => setTimeout(resolve, 500));

    expect(gapsOf(video)).toEqual([]);
    const depacketizer = new H264Depacketizer();
    const nals = video.flatMap((packet) => depacketizer.push(packet.payload));
    const pictures = nals.filter((nal) => nalType(nal) === 1 || nalType(nal) === 5).length / 4;
    expect(new Set(video.map((packet) => packet.timestamp)).size).toBe(pictures);
    expect(pictures).toBeGreaterThanOrEqual(300);
    const largest = Math.max(...nals.map((nal) => nal.length));
    expect(largest).toBeGreaterThan(1200 * 3);
    const received = nals.map(digest);
    // Parameter sets are the same in every keyframe; the pictures tell where the viewer came in.
    const firstPicture = nals.findIndex((nal) => nalType(nal) === 5);
    const start = reference.indexOf(received[firstPicture] ?? '') - firstPicture;
    expect(start).toBeGreaterThanOrEqual(0);
    expect(received).toEqual(reference.slice(start, start + received.length));
    expect(reference.length - start - received.length).toBeLessThanOrEqual(8);
    const firstSound = sentAudio.indexOf(audio[0] ?? '');
    expect(audio.length).toBeGreaterThan(300);
    expect(audio).toEqual(sentAudio.slice(firstSound, firstSound + audio.length));
  });
});

function digest(bytes: Buffer): string {
  return hash('sha256', bytes);
}

function gapsOf(packets: readonly RtpPacket[]): string[] {
  const gaps: string[] = [];
  packets.forEach((packet, i) => {
    const before = packets[i - 1];
    if (before !== undefined && sequenceDistance(before.sequence, packet.sequence) !== 1) {
      gaps.push(`${before.sequence} → ${packet.sequence}`);
    }
  });
  return gaps;
}
