import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { buildAp, h265Type, splitAp } from '../rtp/h265.ts';
import { H265Depacketizer } from '../rtp/h265-depacketizer.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { eventually } from '../signaling/media-rig.fake.ts';
import { openPlaneRig, type PlaneRig, picture, Stream } from './plane-rig.fake.ts';
import { RawPeer } from './raw-peer.fake.ts';

/** Made by x265 3.5: 320x180, Main. */
const VPS = Buffer.from('40010c01ffff01600000030090000003000003003cba0240', 'hex');
const SPS = Buffer.from(
  '42010101600000030090000003000003003ca00a080c1f3e5ba4a4c2f0168080000003008000000f04',
  'hex',
);
const PPS = Buffer.from('4401c073c189', 'hex');

/** Type of an IDR picture and of one that refers to others. */
const [IDR, TRAIL] = [19, 1] as const;

/** The NAL units of a picture in two slices. */
function nalsOf(number: number, type: number, bytes = 300): Buffer[] {
  return [0, 1].map((slice) => {
    const nal = Buffer.alloc(bytes, slice + 1);
    nal.writeUInt8(type << 1, 0);
    nal.writeUInt8(1, 1);
    nal.writeUInt32BE(number, 2);
    return nal;
  });
}

function keyframe(number: number, bytes?: number): Buffer[] {
  return [buildAp([VPS, SPS, PPS]), ...nalsOf(number, IDR, bytes)];
}

async function online(rig: PlaneRig): Promise<void> {
  await eventually(() => rig.service.feeds.get('cam0')?.ready === true, 'the feed is online');
}

function view(rig: PlaneRig): Promise<RawPeer> {
  return RawPeer.open(rig.service, 'whep', 'cam0', undefined, [], 'h265');
}

function nalsIn(packets: readonly RtpPacket[]): Buffer[] {
  const depacketizer = new H265Depacketizer();
  return packets.flatMap(({ payload }) => depacketizer.push(payload));
}

function stats(rig: PlaneRig) {
  return rig.service.feeds.stats(performance.now())[0];
}

describe.each(['native', 'JavaScript'] as const)('H.265 through the %s media plane', (kind) => {
  it('of a pipeline reaches a capable viewer unchanged, from the keyframe on', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    rig.pipeline.picture(keyframe(0));
    for (let n = 1; n < 4; n++) rig.pipeline.picture(nalsOf(n, TRAIL));
    await online(rig);
    expect(stats(rig)).toMatchObject({ codec: 'hvc1.1.6.L60.90', width: 320, height: 180, framesTotal: 4 });
    await using viewer = await view(rig);
    for (let n = 4; n < 8; n++) rig.pipeline.picture(nalsOf(n, TRAIL));
    const expected = [
      VPS,
      SPS,
      PPS,
      ...nalsOf(0, IDR),
      ...[1, 2, 3, 4, 5, 6, 7].flatMap((n) => nalsOf(n, TRAIL)),
    ];
    await eventually(() => nalsIn(viewer.packets).length >= expected.length, 'all of it comes');
    expect(nalsIn(viewer.packets)).toEqual(expected);
  });

  it('is split if a packet does not fit, and arrives unchanged', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    rig.pipeline.picture(keyframe(0, 4000));
    await online(rig);
    await using viewer = await view(rig);
    rig.pipeline.picture(nalsOf(1, TRAIL, 2500));
    const expected = [VPS, SPS, PPS, ...nalsOf(0, IDR, 4000), ...nalsOf(1, TRAIL, 2500)];
    await eventually(() => nalsIn(viewer.packets).length >= expected.length, 'all of it comes');
    expect(nalsIn(viewer.packets)).toEqual(expected);
    expect(Math.max(...viewer.packets.map(({ payload }) => payload.length))).toBeLessThanOrEqual(1400);
  });

  it('whose parameter sets came only once can be joined, with them in front', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    rig.pipeline.picture(keyframe(0));
    await online(rig);
    rig.pipeline.picture(nalsOf(1, 21));
    await eventually(() => stats(rig)?.framesTotal === 2, 'a keyframe without them comes');
    await using viewer = await view(rig);
    rig.pipeline.picture(nalsOf(2, TRAIL));
    await eventually(() => nalsIn(viewer.packets).length >= 7, 'the viewer begins');
    const [first] = viewer.packets;
    expect(splitAp(first?.payload ?? VPS)).toEqual([VPS, SPS, PPS]);
    expect(nalsIn(viewer.packets).slice(3)).toEqual([...nalsOf(1, 21), ...nalsOf(2, TRAIL)]);
  });

  it('of a publisher reaches viewers, and is rejected with a reason for one that lacks it', async () => {
    await using rig = await openPlaneRig(kind, { ingest: false });
    await using publisher = await RawPeer.open(rig.service, 'whip', 'cam0', undefined, [], 'h265');
    const stream = new Stream((packet) => publisher.send(packet));
    stream.picture(keyframe(0));
    stream.picture(nalsOf(1, TRAIL));
    await online(rig);
    await using viewer = await view(rig);
    await eventually(
      () => nalsIn(viewer.packets).some((nal) => h265Type(nal) === TRAIL),
      'the picture comes',
    );
    await expect(RawPeer.open(rig.service, 'whep', 'cam0')).rejects.toMatchObject({
      code: 'CODEC_UNSUPPORTED',
      message: expect.stringContaining('this camera sends H.265'),
    });
  });

  it('that replaces H.264 ends its viewers, who reconnect', async () => {
    await using rig = await openPlaneRig(kind, { ingest: true });
    rig.pipeline.picture(picture(0, true));
    await online(rig);
    await using before = await RawPeer.open(rig.service, 'whep', 'cam0');
    await eventually(() => before.packets.length > 0, 'it plays');
    await sleep(1100);
    Object.assign(rig.pipeline, { ssrc: 99, sequence: 60_000, timestamp: 5 });
    rig.pipeline.picture(keyframe(1));
    await eventually(() => rig.service.feeds.get('cam0')?.viewers.size === 0, 'its session ends');
    expect(stats(rig)?.codec).toMatch(/^hvc1/);
    await using after = await view(rig);
    rig.pipeline.picture(nalsOf(2, TRAIL));
    await eventually(() => nalsIn(after.packets).length >= 7, 'it plays again');
    expect(nalsIn(after.packets).slice(0, 3)).toEqual([VPS, SPS, PPS]);
  });
});
