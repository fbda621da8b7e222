import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRtp } from '../rtp/rtp-packet.ts';
import { AccessUnits } from './access-units.fake.ts';
import { openMediaRig } from './media-rig.fake.ts';
import { NativePeer, OfferRefused, VIDEO } from './native-peer.fake.ts';
import { makeH265Recording, playH265 } from './recording.fake.ts';

describe('H.265 of x265, published by WHIP and viewed by WHEP with a foreign client', () => {
  let folder = '';
  let recording = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'h265-'));
    recording = join(folder, 'recording.mkv');
    makeH265Recording(recording, 180);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('arrives byte by byte as it was sent, and a client without it hears why', async () => {
    await using rig = await openMediaRig();
    using publisher = new NativePeer('SendOnly', { audio: false, codec: 'h265' });
    await publisher.connect(`${rig.url}/whip/cam0`);
    const sent = new AccessUnits('h265');
    const played = playH265(recording, 1, (packet) => {
      packet.writeUInt32BE(VIDEO.ssrc, 8);
      packet.writeUInt8((packet.readUInt8(1) & 0x80) | VIDEO.payloadType, 1);
      const parsed = parseRtp(packet);
      if (parsed !== null) sent.push(parsed);
      publisher.video.sendMessageBinary(packet);
    });
    using viewer = new NativePeer('RecvOnly', { audio: false, codec: 'h265' });
    const received = new AccessUnits('h265');
    viewer.onPacket('video', (packet) => received.push(packet));
    await viewer.connect(`${rig.url}/whep/cam0`);
    using other = new NativePeer('RecvOnly', { audio: false });
    const refusal = await other.connect(`${rig.url}/whep/cam0`).catch((error: unknown) => error);
    if (!(refusal instanceof OfferRefused)) throw new Error('it was not refused');
    expect(refusal.body).toContain('this camera sends H.265, which this browser cannot play');
    await played;
    const [feed] = rig.service.feeds.stats(performance.now());
    expect(feed).toMatchObject({ width: 320, height: 180, packetsLost: 0 });
    expect(feed?.codec).toMatch(/^hvc1\.1\./);
    await new Promise((resolve) => setTimeout(resolve, 500));

    expect(received.digests.length).toBeGreaterThan(100);
    const start = sent.digests.indexOf(received.digests[0] ?? '');
    expect(start).toBeGreaterThanOrEqual(0);
    expect(received.digests).toEqual(sent.digests.slice(start, start + received.digests.length));
  });
});
