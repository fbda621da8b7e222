import { describe, expect, it } from 'vitest';
import type { TrackPacket, TrackRelay } from '../datapath/datapath.ts';
import { splitStapA } from '../rtp/h264.ts';
import { H264Depacketizer } from '../rtp/h264-depacketizer.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { VideoTrack } from './video-track.ts';

const SPS = Buffer.from('6742c01fda014016ec0440000003004000000f03c60ca8', 'hex');
const PPS = Buffer.from('68ce3c80', 'hex');
const IDR = Buffer.concat([Buffer.from([0x65]), Buffer.alloc(100, 1)]);
const SLICE = Buffer.concat([Buffer.from([0x41]), Buffer.alloc(100, 2)]);

function open() {
  const written: TrackPacket[] = [];
  const keyframes: { sequence: number; preface: readonly Buffer[] }[] = [];
  const counts = { keyframes: 0, needed: 0, frames: 0 };
  const relay: TrackRelay = {
    head: null,
    keyframe: null,
    preface: [],
    write: (packet) => written.push(packet),
    markKeyframe: (sequence, preface = []) => keyframes.push({ sequence, preface }),
    addSink: () => {
      throw new Error('no viewers here');
    },
    takeOver: () => {
      throw new Error('no viewers here');
    },
    addTap: () => {
      throw new Error('no readers here');
    },
    [Symbol.dispose]() {},
  };
  const track = new VideoTrack(relay, {
    onKeyframe: () => counts.keyframes++,
    onKeyframeNeeded: () => counts.needed++,
    onFrame: () => counts.frames++,
  });
  let sequence = 65_530;
  const send = (payload: Buffer, timestamp: number, change: Partial<RtpPacket> = {}): void => {
    sequence = (sequence + 1) & 0xffff;
    track.write(
      { marker: true, payloadType: 96, sequence, timestamp, ssrc: 1, payload, ...change },
      timestamp / 90,
    );
  };
  return { track, send, written, keyframes, counts };
}

describe('A video track', () => {
  it('begins with a keyframe and marks its start', () => {
    const { track, send, written, keyframes, counts } = open();
    send(SLICE, 0);
    send(SLICE, 3000);
    expect(written).toEqual([]);
    expect(counts.needed).toBe(2);
    for (const payload of [SPS, PPS, IDR]) send(payload, 6000);
    send(SLICE, 9000);
    expect(written.map(({ payload }) => payload)).toEqual([SPS, PPS, IDR, SLICE]);
    expect(keyframes).toEqual([{ sequence: written[0]?.sequence, preface: [] }]);
    expect(counts).toMatchObject({ keyframes: 1, frames: 2 });
    expect(track.info).toEqual({ codec: 'h264', profileLevelId: '42c01f', width: 1280, height: 720 });
  });

  it('remembers parameter sets for publishers that send them only once, or only in their SDP', () => {
    const { track, send, keyframes } = open();
    track.setParameterSets([SPS, PPS]);
    send(IDR, 0);
    send(SLICE, 3000);
    send(IDR, 6000);
    expect(keyframes).toHaveLength(2);
    for (const { preface } of keyframes)
      expect(preface.flatMap((one) => splitStapA(one) ?? [])).toEqual([SPS, PPS]);
  });

  it('continues without a gap, from a keyframe, when the source restarts', () => {
    const { send, written, counts } = open();
    for (const payload of [SPS, PPS, IDR]) send(payload, 0);
    const restarted = { ssrc: 2 };
    send(SLICE, 500_000, { ...restarted, sequence: 7 });
    for (const [i, payload] of [SPS, PPS, IDR].entries())
      send(payload, 503_000, { ...restarted, sequence: 8 + i });
    const first = written[0]?.sequence ?? 0;
    expect(written.map(({ sequence }) => sequence - first)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(counts.needed).toBe(1);
  });

  it('splits what does not fit and passes padding on as an empty packet', () => {
    const { send, written } = open();
    const large = Buffer.concat([Buffer.from([0x65]), Buffer.alloc(3000, 1)]);
    for (const payload of [SPS, PPS, large]) send(payload, 0);
    send(Buffer.alloc(0), 0);
    const first = written[0]?.sequence ?? 0;
    expect(written.map(({ sequence }) => sequence - first)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(written.map(({ marker }) => marker)).toEqual([true, true, false, false, true, false]);
    expect(Math.max(...written.map(({ payload }) => payload.length))).toBeLessThanOrEqual(1400);
    expect(written.at(-1)?.payload).toHaveLength(0);
  });

  it('has a place for late repairs between packets that were split: no picture is torn', () => {
    const { send, written } = open();
    const large = (byte: number) => Buffer.concat([Buffer.from([0x41]), Buffer.alloc(2500, byte)]);
    for (const payload of [SPS, PPS, IDR]) send(payload, 0);
    const at = (sequence: number, byte: number) =>
      send(large(byte), 3000, { sequence: (65_533 + sequence) & 0xffff, marker: false });
    for (const sequence of [1, 3, 4, 2]) at(sequence, sequence);
    const depacketizer = new H264Depacketizer();
    const nals = written
      .toSorted((a, b) => a.sequence - b.sequence)
      .flatMap(({ payload }) => depacketizer.push(payload));
    expect(nals.slice(3)).toEqual([1, 2, 3, 4].map(large));
    expect(new Set(written.map(({ sequence }) => sequence)).size).toBe(written.length);
  });

  it('passes payloads of the usual size on unchanged', () => {
    const { send, written } = open();
    const usual = Buffer.concat([Buffer.from([0x41]), Buffer.alloc(1388, 1)]);
    for (const payload of [SPS, PPS, IDR]) send(payload, 0);
    send(usual, 3000);
    expect(written.at(-1)?.payload).toBe(usual);
  });

  it('passes nothing of a malformed packet on but its place in the sequence', () => {
    const { send, written } = open();
    for (const payload of [SPS, PPS, IDR]) send(payload, 0);
    send(Buffer.alloc(3000, 24), 3000);
    send(SLICE, 3000);
    expect(written.slice(3).map(({ payload }) => payload.length)).toEqual([0, SLICE.length]);
  });

  it('asks for a keyframe after one without parameter sets', () => {
    const { send, counts, keyframes } = open();
    send(IDR, 0);
    expect(counts.needed).toBe(1);
    send(SPS, 3000);
    send(IDR, 3000);
    expect(counts.needed).toBe(2);
    expect(keyframes).toEqual([]);
  });

  it('counts frames, not packets: resending one picture adds no frame', () => {
    const { send, counts } = open();
    for (const payload of [SPS, PPS, IDR]) send(payload, 0);
    for (let i = 0; i < 20; i++) send(SLICE, 0);
    expect(counts.frames).toBe(1);
  });

  it('detects B-frames by timestamps that go back and forth in consecutive packets', () => {
    const { track, send, counts } = open();
    for (const payload of [SPS, PPS, IDR]) send(payload, 6000);
    // Sent I P B B P B B …, shown I B B P B B P …
    for (let group = 0; group < 4; group += 1) {
      for (const place of [3, 1, 2]) send(SLICE, 6000 + 3000 * (3 * group + place));
    }
    expect(track.reorders).toBe(true);
    expect(counts.frames).toBe(13);
  });

  it('does not mistake late packets or one clock step for B-frames', () => {
    const { track, send } = open();
    for (const payload of [SPS, PPS, IDR]) send(payload, 6000);
    for (let frame = 1; frame < 20; frame += 1) {
      send(SLICE, 6000 + 3000 * frame);
      // A packet of the frame before that the network held back.
      send(SLICE, 6000 + 3000 * (frame - 1), { sequence: 1 });
    }
    send(SLICE, 6000);
    expect(track.reorders).toBe(false);
  });
});
