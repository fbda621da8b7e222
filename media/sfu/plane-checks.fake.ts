/** Common steps and checks of the media planes' tests. */
import { setTimeout as sleep } from 'node:timers/promises';
import { buildCanonicalName, buildReceiverReport } from '../rtp/rtcp-build.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { timestampDistance } from '../rtp/sequence.ts';
import { eventually } from '../signaling/media-rig.fake.ts';
import { type PlaneKind, type PlaneRig, picture, type Stream } from './plane-rig.fake.ts';
import { RawPeer } from './raw-peer.fake.ts';

/** The two planes. */
export const planes: readonly PlaneKind[] = ['native', 'JavaScript'];

/** How a compound RTCP packet begins. */
export const head = Buffer.concat([buildReceiverReport(1, []), buildCanonicalName(1, 'test')]);

/** Sends pictures in quick succession, the first one a keyframe where `keyframe` says so. */
export async function play(stream: Stream, from: number, count: number, keyframe = true): Promise<void> {
  for (let n = from; n < from + count; n++) {
    stream.picture(picture(n, keyframe && n === from));
    await sleep(5);
  }
}

/** Waits until feed `cam0` is online. */
export async function online(rig: PlaneRig): Promise<void> {
  await eventually(() => rig.service.feeds.get('cam0')?.ready === true, 'the feed is online');
}

/** A viewer of a pipeline that sent pictures 0 to 4 and continues with 5. */
export async function viewed(rig: PlaneRig): Promise<RawPeer> {
  await play(rig.pipeline, 0, 5);
  await online(rig);
  const viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
  await eventually(() => numbersOf(viewer.packets).includes(4), 'the viewer plays');
  return viewer;
}

/** The numbers of the pictures, as their packets came. */
export function numbersOf(packets: readonly RtpPacket[]): number[] {
  return packets
    .filter(({ payload }) => payload.length > 4 && ((payload[0] ?? 0) & 0x1f) <= 5)
    .map(({ payload }) => payload.readUInt32BE(1));
}

/** Which numbers are missing between the first and the last that came. */
export function gapsOf(packets: readonly RtpPacket[]): number[] {
  const came = new Set(packets.map(({ sequence }) => sequence));
  const [first, last] = [Math.min(...came), Math.max(...came)];
  return Array.from({ length: last - first }, (_, i) => first + i).filter((sequence) => !came.has(sequence));
}

/** Steps of time from picture to picture, in 1/90000 s. */
export function stepsOf(packets: readonly RtpPacket[]): number[] {
  const times = packets.toSorted((a, b) => a.sequence - b.sequence).map(({ timestamp }) => timestamp);
  return times.slice(1).map((time, i) => timestampDistance(times[i] ?? 0, time));
}
