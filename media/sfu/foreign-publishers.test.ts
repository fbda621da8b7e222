import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { MediaService } from '../control/media-service.ts';
import { parseRtcp } from '../rtp/rtcp.ts';
import { eventually } from '../signaling/media-rig.fake.ts';
import { openPlaneRig, type PlaneRig, picture, Stream } from './plane-rig.fake.ts';
import { RawPeer } from './raw-peer.fake.ts';

const planes = ['native', 'JavaScript'] as const;

/** Numbers of the pictures that a viewer got; see `picture`. */
const numbersOf = ({ packets }: RawPeer): number[] =>
  packets
    .filter(({ payload }) => payload.length > 4 && ((payload[0] ?? 0) & 0x1f) <= 5)
    .map(({ payload }) => payload.readUInt32BE(1));

async function publish(rig: PlaneRig, offered: readonly string[] = []) {
  const publisher = await RawPeer.open(rig.service, 'whip', 'cam0', undefined, offered);
  return { publisher, stream: new Stream((packet) => publisher.send(packet)) };
}

async function view(rig: PlaneRig): Promise<RawPeer> {
  await eventually(() => rig.service.feeds.get('cam0')?.ready === true, 'the feed is online');
  return await RawPeer.open(rig.service, 'whep', 'cam0');
}

const notices = (rig: PlaneRig): string =>
  rig.service.feeds
    .stats(performance.now())
    .flatMap(({ notices }) => notices)
    .join();

describe.each(planes)('On the %s media plane, a publisher', (kind) => {
  it('that waits for our hello, as ffmpeg does, is called first', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    const waiting: MediaService['whipOffer'] = (params) =>
      rig.service.whipOffer({ ...params, sdp: params.sdp.replace('a=setup:active', 'a=setup:passive') });
    const service = { whipOffer: waiting, whepOffer: rig.service.whepOffer };
    await using publisher = await RawPeer.open(service, 'whip', 'cam0');
    expect(publisher.answer).toContain('a=setup:active');
    const stream = new Stream((packet) => publisher.send(packet));
    for (let n = 0; n < 5; n++) {
      stream.picture(picture(n, n === 0));
      await sleep(5);
    }
    await using viewer = await view(rig);
    await eventually(() => numbersOf(viewer).includes(4), 'the viewer plays');
  });

  it.each([6, 10])(
    'is received even if it lost its first packets and wraps its numbers meanwhile (%d packets lost)',
    async (lost) => {
      await using rig = await openPlaneRig(kind, { ingest: false });
      const { publisher, stream } = await publish(rig);
      await using _ = publisher;
      // 65,530 and the following are lost: the first one that comes counts from 0 again, or is about to.
      stream.sequence = 65_530;
      const first = picture(0, true, 10);
      stream.picture(first, [...first.keys()].slice(0, lost));
      for (let n = 1; n < 10; n++) {
        stream.picture(picture(n, n === 1));
        await sleep(5);
      }
      await using viewer = await view(rig);
      await eventually(() => numbersOf(viewer).includes(9), 'the viewer plays');
    },
  );

  it('that sends three layers under one payload type is received at one of them, without keyframe requests', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    const { publisher } = await publish(rig);
    await using _ = publisher;
    const layers = [11, 22, 33].map((ssrc) => {
      const layer = new Stream((packet) => publisher.send(packet));
      layer.ssrc = ssrc;
      return layer;
    });
    const send = async (from: number, count: number) => {
      for (let n = from; n < from + count; n++) {
        for (const [i, layer] of layers.entries()) layer.picture(picture(1000 * i + n, n % 20 === 0));
        await sleep(5);
      }
    };
    await send(0, 20);
    await using viewer = await view(rig);
    await eventually(() => viewer.packets.length > 0, 'the viewer plays');
    const asked = publisher.count('picture-loss');
    await send(20, 60);
    await eventually(() => numbersOf(viewer).some((n) => n % 1000 === 79), 'the newest picture comes');
    expect(new Set(numbersOf(viewer).map((n) => Math.floor(n / 1000))).size).toBe(1);
    expect(publisher.count('picture-loss') - asked).toBeLessThanOrEqual(1);
    expect(publisher.count('nack')).toBe(0);
  });

  it('that sends B-frames gets advice on what to change until they end', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    const { publisher, stream } = await publish(rig);
    await using _ = publisher;
    const send = async (n: number) => {
      stream.timestamp = 90_000 + n * 3000;
      stream.picture(picture(n, n === 0));
      await sleep(2);
    };
    await send(0);
    for (let group = 0; group < 20; group++) for (const n of [3, 1, 2]) await send(group * 3 + n);
    await eventually(() => /B-frames.*Baseline/.test(notices(rig)), 'B-frames are named');
    for (let n = 61; n < 500; n++) await send(n);
    await eventually(() => notices(rig) === '', 'they are no longer named');
  });

  it('that repairs in a separate stream is asked in the short form if it accepts that, and repaired', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    const offered = ['a=rtcp-rsize', 'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96'];
    const { publisher, stream } = await publish(rig, [...offered, 'a=ssrc-group:FID 4711 4712']);
    await using _ = publisher;
    const compounds: Buffer[] = [];
    publisher.transport.events.on('rtcp', (compound) => compounds.push(compound));
    for (let n = 0; n < 5; n++) {
      stream.picture(picture(n, n === 0));
      await sleep(5);
    }
    await using viewer = await view(rig);
    await eventually(() => numbersOf(viewer).includes(4), 'the viewer plays');
    const [, lost] = stream.picture(picture(5, false, 3), [1]);
    if (lost === undefined) throw new Error('nothing was lost');
    stream.picture(picture(6, false));
    const asked = () =>
      compounds
        .map((compound) => parseRtcp(compound))
        .filter((all) => all.some((one) => one.kind === 'nack'));
    await eventually(() => asked().length > 0, 'what is lost is asked for');
    expect(asked()[0]).toEqual([{ kind: 'nack', mediaSsrc: 4711, lost: [lost.sequence] }]);
    const number = Buffer.alloc(2);
    number.writeUInt16BE(lost.sequence);
    const payload = Buffer.concat([number, lost.payload]);
    publisher.send({ ...lost, ssrc: 4712, sequence: 7, payload, payloadType: 97 });
    await eventually(
      () => viewer.packets.filter(({ payload: one }) => one.equals(lost.payload)).length === 1,
      'it comes',
    );
  });
});
