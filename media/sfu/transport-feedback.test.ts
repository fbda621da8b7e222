import { describe, expect, it } from 'vitest';
import { buildRtp } from '../rtp/rtp-packet.ts';
import { transportFeedbackIn } from '../rtp/transport-feedback.fake.ts';
import { TRANSPORT_NUMBERS, type TransportFeedback } from '../rtp/transport-feedback.ts';
import { HttpHarness } from '../signaling/http-harness.fake.ts';
import { eventually } from '../signaling/media-rig.fake.ts';
import { NativePeer, VIDEO } from '../signaling/native-peer.fake.ts';
import { openPlaneRig, picture } from './plane-rig.fake.ts';

/** A packet with its number among all of the connection, by extension 5 of the short form (RFC 8285). */
function numbered(packet: Parameters<typeof buildRtp>[0], number: number): Buffer {
  const datagram = buildRtp(packet);
  datagram[0] = (datagram[0] ?? 0) | 0x10;
  const extension = Buffer.from([0xbe, 0xde, 0, 1, 0x51, number >> 8, number & 0xff, 0]);
  return Buffer.concat([datagram.subarray(0, 12), extension, datagram.subarray(12)]);
}

const offered = (sdp: string): string =>
  sdp.replace(
    /^a=mid:0\r\n/m,
    `a=mid:0\r\na=rtcp-rsize\r\na=extmap:5 ${TRANSPORT_NUMBERS}\r\na=rtcp-fb:${VIDEO.payloadType} transport-cc\r\n`,
  );

/** The first number to send; it wraps soon. */
const FIRST = 65_530;
const SENT = 20;
const LOST = new Set([3, 4, 9]);

describe.each(['native', 'JavaScript'] as const)('On the %s plane', (kind) => {
  it('a publisher that numbers its packets learns when each arrived, and which did not', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using http = new HttpHarness(rig.service);
    using peer = new NativePeer('SendOnly', { audio: false });
    const messages: TransportFeedback[] = [];
    peer.video.onMessage((message) => {
      messages.push(...transportFeedbackIn(Buffer.from(message)));
    });
    const answer = await peer.connect(`${await http.open()}/whip/cam0`, {}, offered);
    expect(answer).toContain(`a=extmap:5 ${TRANSPORT_NUMBERS}`);
    expect(answer).toContain(`a=rtcp-fb:${VIDEO.payloadType} transport-cc`);
    await eventually(() => peer.video.isOpen(), 'it may send');

    const [payload = Buffer.alloc(0)] = picture(0, true, 1, 100);
    for (let i = 0; i < SENT; i++) {
      if (LOST.has(i)) continue;
      const packet = { ...VIDEO, sequence: i, timestamp: i * 3000, marker: true, payload };
      peer.video.sendMessageBinary(numbered(packet, (FIRST + i) & 0xffff));
    }
    const times = () => timesOf(messages);
    await eventually(() => times().has((FIRST + SENT - 1) & 0xffff), 'the last one is reported');
    const missing = Array.from({ length: SENT }, (_, i) => i).filter(
      (i) => !times().has((FIRST + i) & 0xffff),
    );
    expect(missing).toEqual([...LOST]);
    const arrived = [...times().values()];
    expect(Math.max(...arrived) - Math.min(...arrived)).toBeLessThan(5000);
    expect(messages.map(({ count }) => count)).toEqual(messages.map((_, i) => i));
    expect(new Set(messages.map(({ mediaSsrc }) => mediaSsrc))).toEqual(new Set([VIDEO.ssrc]));
  });

  it('a publisher that does not number its packets gets none of it', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using http = new HttpHarness(rig.service);
    using peer = new NativePeer('SendOnly', { audio: false });
    const withoutNumbers = (sdp: string) => offered(sdp).replace(/^a=extmap:5.*\r\n/m, '');
    const answer = await peer.connect(`${await http.open()}/whip/cam0`, {}, withoutNumbers);
    expect(answer).not.toContain('transport-cc');
  });
});

/** In milliseconds, by number. */
function timesOf(messages: readonly TransportFeedback[]): Map<number, number> {
  const times = new Map<number, number>();
  for (const { first, reference, arrivals } of messages) {
    arrivals.forEach((ticks, i) => {
      if (ticks !== null) times.set((first + i) & 0xffff, reference * 64 + ticks / 4);
    });
  }
  return times;
}
