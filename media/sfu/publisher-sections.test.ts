import { describe, expect, it } from 'vitest';
import { buildRtp } from '../rtp/rtp-packet.ts';
import { HttpHarness } from '../signaling/http-harness.fake.ts';
import { eventually } from '../signaling/media-rig.fake.ts';
import { NativePeer } from '../signaling/native-peer.fake.ts';
import { openPlaneRig, picture } from './plane-rig.fake.ts';
import { SectionNames } from './publisher-sections.ts';

const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid';

/** A packet that names its section, by extension 4 of the short form (RFC 8285). */
function named(packet: Parameters<typeof buildRtp>[0], mid: string): Buffer {
  const datagram = buildRtp(packet);
  datagram[0] = (datagram[0] ?? 0) | 0x10;
  const extension = Buffer.from([0xbe, 0xde, 0, 1, 0x40 | (mid.length - 1), ...Buffer.from(mid), 0, 0, 0]);
  return Buffer.concat([datagram.subarray(0, 12), extension.subarray(0, 8), datagram.subarray(12)]);
}

/** Publishes picture and sound that share a payload type, and whose SSRCs the offer does not name. */
function play(
  peer: NativePeer,
  sections: { video: string; audio: string },
  names = 3,
  ssrc = 777,
): Disposable {
  let sent = 0;
  let sequence = 0;
  const timer = setInterval(() => {
    const timestamp = sent++ * 4500;
    const payloads = picture(sent, true, 1, 100);
    const video = payloads.map((payload, i) => ({
      ...{ payloadType: 96, ssrc, timestamp, payload },
      ...{ sequence: sequence++ & 0xffff, marker: i === payloads.length - 1 },
    }));
    const sound = {
      ...{ payloadType: 96, ssrc: ssrc + 1, sequence: sent & 0xffff, timestamp: sent * 2400, marker: false },
      payload: Buffer.from([0xf8, 0xff, 0xfe]),
    };
    // Browsers stop naming once a report proves that they were understood.
    const write = (packet: Parameters<typeof buildRtp>[0], mid: string) =>
      sent <= names ? named(packet, mid) : buildRtp(packet);
    if (!peer.video.isOpen()) return;
    peer.video.sendMessageBinary(write(sound, sections.audio));
    for (const packet of video) peer.video.sendMessageBinary(write(packet, sections.video));
  }, 50);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** The offer of a publisher that distinguishes picture and sound by names alone. */
function byNames(sdp: string): string {
  return sdp
    .replace(/^a=ssrc.*\r\n/gm, '')
    .replaceAll(/\b111\b/g, '96')
    .replaceAll(/^(a=mid:.*\r\n)/gm, `$1a=extmap:4 ${MID}\r\n`);
}

describe.each(['native', 'JavaScript'] as const)('On the %s plane', (kind) => {
  it('distinguishes picture and sound of a publisher by the names of their sections alone', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using http = new HttpHarness(rig.service);
    const url = await http.open();
    using peer = new NativePeer('SendOnly', { audio: true });
    const answer = await peer.connect(`${url}/whip/cam0`, {}, byNames);
    expect(answer.match(new RegExp(`^a=extmap:4 ${MID}\r$`, 'gm'))).toHaveLength(2);
    using _ = play(peer, { video: '0', audio: '1' });
    await eventually(() => rig.service.feeds.get('cam0')?.ready ?? false, 'there is a picture');

    using viewer = new NativePeer('RecvOnly', { audio: true });
    const sounds: Buffer[] = [];
    const pictures: Buffer[] = [];
    viewer.onPacket('audio', ({ payload }) => sounds.push(payload));
    viewer.onPacket('video', ({ payload }) => pictures.push(payload));
    const toViewer = await viewer.connect(`${url}/whep/cam0`, {}, (sdp) =>
      sdp.replaceAll(/^(a=mid:.*\r\n)/gm, `$1a=extmap:4 ${MID}\r\n`),
    );
    // Its SSRCs are in the answer.
    expect(toViewer).not.toContain(MID);
    await eventually(() => sounds.length > 5 && pictures.length > 20, 'the viewer sees and hears it');
    expect(new Set(sounds.map(({ length }) => length))).toEqual(new Set([3]));
    expect(Math.min(...pictures.map(({ length }) => length))).toBeGreaterThan(3);
  });

  it('ignores packets under a name that was not negotiated', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using http = new HttpHarness(rig.service);
    using peer = new NativePeer('SendOnly', { audio: true });
    await peer.connect(`${await http.open()}/whip/cam0`, {}, byNames);
    using strange = play(peer, { video: '7', audio: '8' }, Number.POSITIVE_INFINITY);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(rig.service.feeds.get('cam0')?.video.frames ?? 0).toBe(0);
    strange[Symbol.dispose]();
    using _ = play(peer, { video: '0', audio: '1' }, 3, 999);
    await eventually(() => rig.service.feeds.get('cam0')?.ready ?? false, 'what has a name is taken');
  });
});

it('A name holds for its SSRC until another one, and strangers displace as few as possible', () => {
  const names = new SectionNames({ midExtension: 4, videoMid: '0', audioMid: null });
  const packet = { marker: false, payloadType: 96, sequence: 1, timestamp: 2, payload: Buffer.from('p') };
  const of = (ssrc: number, mid: string | null) => {
    const plain = { ...packet, ssrc };
    return names.of(ssrc, mid === null ? buildRtp(plain) : named(plain, mid));
  };
  expect(of(1, null)).toBeNull();
  expect(of(1, '0')).toBe('video');
  expect(of(1, null)).toBe('video');
  expect(of(2, '1')).toBe('other');
  expect(of(1, '1')).toBe('other');
  for (let ssrc = 10; ssrc < 100; ssrc++) of(ssrc, '0');
  expect(of(1, null)).toBeNull();
  expect(of(99, null)).toBe('video');
});
