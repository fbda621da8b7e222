import { describe, expect, it } from 'vitest';
import { buildRtp } from '../rtp/rtp-packet.ts';
import { HttpHarness } from '../signaling/http-harness.fake.ts';
import { eventually } from '../signaling/media-rig.fake.ts';
import { NativePeer } from '../signaling/native-peer.fake.ts';
import { openPlaneRig, picture } from './plane-rig.fake.ts';

/** Sends a keyframe and, if there is one, a packet of sound about as often as a camera would. */
function play(peer: NativePeer, sounds: 'loud' | 'silent' = 'loud'): Disposable {
  let sent = 0;
  let sequence = 0;
  const timer = setInterval(() => {
    const timestamp = sent++ * 4500;
    const payloads = picture(sent, true, 1, 100);
    payloads.forEach((payload, i) => {
      const head = { payloadType: 96, ssrc: 1111, sequence: sequence++ & 0xffff, timestamp };
      const packet = buildRtp({ ...head, marker: i === payloads.length - 1, payload });
      if (peer.video.isOpen()) peer.video.sendMessageBinary(packet);
    });
    const sound = { payloadType: 111, ssrc: 2222, sequence: sent & 0xffff, timestamp: sent * 2400 };
    const packet = buildRtp({ ...sound, marker: false, payload: Buffer.from([0xf8, 0xff, 0xfe]) });
    if (sounds === 'loud' && peer.audio?.isOpen() === true) peer.audio.sendMessageBinary(packet);
  }, 50);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

describe.each(['native', 'JavaScript'] as const)('On the %s plane', (kind) => {
  it('sound that starts later reaches an existing viewer', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using http = new HttpHarness(rig.service);
    const url = await http.open();
    const key = { authorization: 'Bearer one' };
    using silent = new NativePeer('SendOnly', { audio: false });
    await silent.connect(`${url}/whip/cam0`, key);
    using _silence = play(silent);
    await eventually(() => rig.service.feeds.get('cam0')?.ready ?? false, 'there is a picture');
    using viewer = new NativePeer('RecvOnly', { audio: true });
    const heard = { video: 0, audio: 0 };
    for (const of of ['video', 'audio'] as const) {
      viewer.onPacket(of, () => {
        heard[of]++;
      });
    }
    await viewer.connect(`${url}/whep/cam0`);
    await eventually(() => heard.video > 0, 'the viewer sees the picture');
    expect(heard.audio).toBe(0);

    using loud = new NativePeer('SendOnly', { audio: true });
    await loud.connect(`${url}/whip/cam0`, key);
    using _sound = play(loud);
    await eventually(() => heard.audio > 5, 'the viewer hears the sound', 10_000);
  });

  it('a feed lists sound once some arrives, not when it is negotiated', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using http = new HttpHarness(rig.service);
    using peer = new NativePeer('SendOnly', { audio: true });
    await peer.connect(`${await http.open()}/whip/cam0`);
    const codec = () => rig.service.feeds.stats(performance.now())[0]?.audioCodec;
    {
      using _silence = play(peer, 'silent');
      await eventually(() => rig.service.feeds.get('cam0')?.ready ?? false, 'there is a picture');
      expect(rig.service.feeds.get('cam0')?.audio?.codec).toBe('opus');
      expect(codec()).toBeNull();
    }
    using _sound = play(peer, 'loud');
    await eventually(() => codec() === 'opus', 'the sound is shown');
  });
});
