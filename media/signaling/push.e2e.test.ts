import { describe, expect, it } from 'vitest';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { sequenceDistance } from '../rtp/sequence.ts';
import { HttpHarness } from './http-harness.fake.ts';
import { eventually, freeRtpPort, type MediaRig, openMediaRig } from './media-rig.fake.ts';
import { NativePeer } from './native-peer.fake.ts';
import { startLiveSource } from './recording.fake.ts';

/** A camera whose pipeline runs and which publishes to `url`. */
async function openCamera(url: string, rtpPort: number): Promise<MediaRig> {
  return await openMediaRig({
    ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }],
    pushes: [{ feed: 'cam0', url, token: 'camera-key' }],
  });
}

const pushOf = (rig: MediaRig) => rig.service.status().pushes[0];

describe('A camera that publishes to a hub', () => {
  it('is visible there, and its feed returns with the hub', async () => {
    const rtpPort = await freeRtpPort();
    const ffmpeg = startLiveSource(rtpPort);
    let hub = await openMediaRig();
    const port = Number(new URL(hub.url).port);
    const camera = await openCamera(`${hub.url}/whip/stage-left`, rtpPort);
    try {
      await eventually(() => hub.service.feeds.get('stage-left')?.ready ?? false, 'the hub has the feed');
      expect(pushOf(camera)).toMatchObject({ state: 'connected', reason: null, connections: 1 });
      expect(hub.service.feeds.stats(performance.now())[0]).toMatchObject({
        codec: camera.service.feeds.stats(performance.now())[0]?.codec,
        width: 640,
        publisher: { kind: 'whip', peer: 'Bearer camera-key' },
      });

      const viewer = new NativePeer('RecvOnly', { audio: false });
      const packets: RtpPacket[] = [];
      viewer.onPacket('video', (packet) => packets.push(packet));
      await viewer.connect(`${hub.url}/whep/stage-left`);
      await eventually(() => packets.length > 200, 'a viewer of the hub gets the feed');
      viewer[Symbol.dispose]();
      packets.forEach((packet, i) => {
        if (i > 0) expect(sequenceDistance(packets[i - 1]?.sequence ?? 0, packet.sequence)).toBe(1);
      });

      await hub[Symbol.asyncDispose]();
      await eventually(() => pushOf(camera)?.state === 'failed', 'the camera notices');
      hub = await openMediaRig();
      const http = new HttpHarness(hub.service);
      await http.open(port);
      await eventually(() => hub.service.feeds.get('stage-left')?.ready ?? false, 'the feed is back');
      await http[Symbol.asyncDispose]();
      expect(pushOf(camera)?.connections).toBe(2);
    } finally {
      ffmpeg.kill('SIGKILL');
      await camera[Symbol.asyncDispose]();
      await hub[Symbol.asyncDispose]();
    }
  });

  it('says why it is rejected', async () => {
    const rtpPort = await freeRtpPort();
    const ffmpeg = startLiveSource(rtpPort);
    await using hub = await openMediaRig();
    using rival = new NativePeer('SendOnly', { audio: false });
    await rival.connect(`${hub.url}/whip/stage-left`);
    const camera = await openCamera(`${hub.url}/whip/stage-left`, rtpPort);
    try {
      await eventually(() => pushOf(camera)?.state === 'failed', 'the camera is refused');
      expect(pushOf(camera)).toMatchObject({ code: 'FEED_BUSY', retryInMs: 2000 });
      expect(pushOf(camera)?.reason).toContain('stage-left has a publisher');
    } finally {
      ffmpeg.kill('SIGKILL');
      await camera[Symbol.asyncDispose]();
    }
  });

  it('takes over its own place without waiting', async () => {
    await using hub = await openMediaRig();
    using first = new NativePeer('SendOnly', { audio: false });
    await first.connect(`${hub.url}/whip/stage-left`, { authorization: 'Bearer camera-key' });
    using second = new NativePeer('SendOnly', { audio: false });
    await second.connect(`${hub.url}/whip/stage-left`, { authorization: 'Bearer camera-key' });
    const closed = hub.events.filter((event) => event.event === 'session-closed');
    expect(closed).toHaveLength(1);
    expect(hub.service.feeds.get('stage-left')?.source?.present).toBe(true);
    using third = new NativePeer('SendOnly', { audio: false });
    await expect(third.connect(`${hub.url}/whip/stage-left`)).rejects.toMatchObject({ status: 409 });
  });
});
