import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { TrackPacket } from '../datapath.ts';
import { NodeSink, type SinkTrack } from './node-sink.ts';
import type { NodeTransport } from './node-transport.ts';
import { PacketRing } from './packet-ring.ts';

interface Sent {
  sequence: number;
  timestamp: number;
  text: string;
}

/** A track and a viewer whose way can be blocked by hand. */
function open(ringSize = 64) {
  const sent: Sent[] = [];
  const ring = new PacketRing(ringSize);
  const way = { blocked: false };
  const track: SinkTrack & { keyframe: number | null } = {
    kind: 'video',
    ring,
    keyframe: null,
    preface: [],
    wake() {},
    add() {},
    remove() {},
  };
  const transport = {
    get blocked() {
      return way.blocked;
    },
    sendRtp(head: { timestamp: number }, sequence: number, payload: Buffer) {
      sent.push({ sequence, timestamp: head.timestamp, text: payload.toString() });
    },
  };
  const sink = new NodeSink(track, transport as unknown as NodeTransport, { ssrc: 1, payloadType: 96 }, 10);
  const write = (sequence: number, keyframe = false, padding = 0): void => {
    const payload = Buffer.from(String(sequence).padEnd(padding));
    const packet: TrackPacket = { sequence, timestamp: sequence * 3000, marker: true, payload };
    const newest = ring.head === null || sequence > ring.head;
    if (!ring.put(packet)) return;
    sink.offer(track, packet, newest);
    if (!keyframe) return;
    track.keyframe = sequence;
    sink.keyframe(track, sequence);
  };
  return { sent, sink, way, write, ring, texts: () => sent.map(({ text }) => Number(text)) };
}

describe('A viewer of a track', () => {
  afterEach(() => void vi.useRealTimers());

  it('gets the remembered packets since the keyframe in portions, then continues live', () => {
    const { sink, write, texts, sent } = open();
    for (let n = 100; n < 110; n++) write(n, n === 102);
    sink.start(102, [Buffer.from('0')]);
    expect(texts()).toEqual([0]);
    sink.pump(5);
    expect(texts()).toEqual([0, 102, 103, 104, 105, 106]);
    write(110);
    sink.pump(5);
    write(111);
    expect(texts()).toEqual([0, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111]);
    expect(sent.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 11 }, (_, i) => 10 + i));
  });

  it('gets late packets in their place', () => {
    const { sink, write, sent } = open();
    write(100, true);
    sink.start(100);
    sink.pump(5);
    write(102);
    write(101);
    expect(sent.map(({ sequence, text }) => [sequence, text])).toEqual([
      [10, '100'],
      [12, '102'],
      [11, '101'],
    ]);
  });

  it('skips to the next keyframe when its path is blocked, and sees no gap', () => {
    const { sink, way, write, texts, sent } = open();
    write(100, true);
    sink.start(100);
    sink.pump(9);
    way.blocked = true;
    for (let n = 101; n < 106; n++) write(n);
    sink.pump(9);
    expect(texts()).toEqual([100]);
    write(106, true);
    way.blocked = false;
    sink.pump(9);
    write(107);
    expect(texts()).toEqual([100, 106, 107]);
    expect(sent.map(({ sequence }) => sequence)).toEqual([10, 11, 12]);
    expect(sink.stats.skippedFrames).toBe(5);
  });

  it('waits for a keyframe if everything up to it was overwritten', () => {
    const { sink, way, write, texts } = open(8);
    write(100, true);
    sink.start(100);
    sink.pump(9);
    way.blocked = true;
    for (let n = 101; n < 130; n++) write(n);
    sink.pump(9);
    way.blocked = false;
    sink.pump(9);
    write(130);
    expect(texts()).toEqual([100]);
    write(131, true);
    sink.pump(9);
    expect(texts()).toEqual([100, 131]);
  });

  it('gets lost packets again by its own numbers, or learns that they are gone', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { sink, write, texts } = open(8);
    write(100, true);
    sink.start(100);
    sink.pump(9);
    for (let n = 101; n < 106; n++) write(n);
    expect(sink.retransmit([12, 13])).toBe(true);
    expect(texts().slice(-2)).toEqual([102, 103]);
    expect(sink.retransmit([12])).toBe(true);
    expect(sink.stats.retransmitted).toBe(2);
    for (let n = 106; n < 120; n++) write(n);
    expect(sink.retransmit([11])).toBe(false);
    expect(sink.retransmit([500])).toBe(false);
  });

  it('gets no packet again within a round trip, but twice if it asks again later', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { sink, write, texts } = open();
    write(100, true);
    sink.start(100);
    sink.pump(9);
    write(101);
    expect(sink.retransmit([11], 80)).toBe(true);
    vi.advanceTimersByTime(79);
    expect(sink.retransmit([11], 80)).toBe(true);
    expect(texts()).toEqual([100, 101, 101]);
    vi.advanceTimersByTime(1);
    sink.retransmit([11], 80);
    expect(texts()).toEqual([100, 101, 101, 101, 101]);
    expect(sink.stats).toMatchObject({ retransmitted: 3, retransmitsRefused: 1 });
  });

  it('that loses more than can be repaired waits for the next keyframe and continues without a gap', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { sink, write, texts, sent } = open();
    write(100, true, 1200);
    sink.start(100);
    sink.pump(9);
    for (let n = 101; n < 110; n++) write(n, false, 1200);
    // Everything is lost again and again.
    let mended = true;
    for (let round = 0; round < 8 && mended; round++) {
      mended = sink.retransmit([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
      vi.advanceTimersByTime(50);
    }
    expect(mended).toBe(false);
    const before = sent.length;
    write(110, false, 1200);
    write(111, false, 1200);
    expect(sent).toHaveLength(before);
    write(112, true);
    sink.pump(9);
    write(113);
    expect(texts().slice(before)).toEqual([112, 113]);
    expect(sent.slice(before).map(({ sequence }) => sequence)).toEqual([20, 21]);
    expect(sink.stats.skippedFrames).toBe(2);
    // What was lost before that keyframe is of no use any more, and stops nothing.
    expect(sink.retransmit([11])).toBe(true);
    write(114);
    expect(texts().slice(before)).toEqual([112, 113, 114]);
  });

  it('that joins in a long group of pictures gets it in a fifth of a second of its time', () => {
    const { sink, write, sent } = open(512);
    for (let n = 100; n < 400; n++) write(n, n === 100);
    sink.start(100);
    sink.pump(500);
    write(400);
    const times = sent.map(({ timestamp }) => timestamp);
    expect(times.at(-1)).toBe(400 * 3000);
    expect((times.at(-2) ?? 0) - (times[0] ?? 0)).toBe(90_000 / 5);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    // A repetition has the time that it had the first time.
    sink.retransmit([sent[150]?.sequence ?? 0]);
    expect(sent.at(-1)).toEqual(sent[150]);
  });

  it('that lost too much gets the remembered keyframe again if no new one is made: a few times, and slower', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { sink, write, sent } = open(512);
    for (let n = 100; n < 400; n++) write(n, n === 100, 1200);
    sink.start(100);
    expect(sink.portion(performance.now() + 100)).toBe(32);
    sink.pump(100);
    const loseTooMuch = () => sink.retransmit(sent.slice(-60).map(({ sequence }) => sequence));
    let again = 0;
    for (; again < 5; again++) {
      const newest = Math.max(...sent.map(({ timestamp }) => timestamp));
      expect(loseTooMuch()).toBe(false);
      expect(sink.started).toBe(false);
      vi.advanceTimersByTime(149);
      sink.tick(performance.now());
      expect(sink.started).toBe(false);
      vi.advanceTimersByTime(2);
      sink.tick(performance.now());
      if (!sink.started) break;
      const before = sent.length;
      sink.pump(100);
      expect(sent[before]?.text.trim()).toBe('100');
      // Time never runs backwards, and not ahead of the next picture either.
      expect(sent[before]?.timestamp).toBeGreaterThan(newest);
      expect(sent.at(-1)?.timestamp).toBeLessThan(newest + 3000);
    }
    expect(again).toBe(3);
    sink.portion(performance.now());
    expect(sink.portion(performance.now() + 4)).toBeLessThanOrEqual(32);
    write(400, true);
    expect(sink.started).toBe(true);
  });

  it('never gets more than a share of its traffic again, nor a packet again within a round trip', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), octets: fc.integer({ min: 6, max: 1224 }) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 200 }) }),
      fc.record({
        kind: fc.constant('ask' as const),
        lost: fc.array(fc.integer({ min: 10, max: 400 }), { maxLength: 40 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 0, max: 300 }), (steps, rttMs) => {
        vi.useFakeTimers({ toFake: ['performance'] });
        const { sink, write, sent } = open(512);
        write(100, true);
        sink.start(100);
        sink.pump(9);
        const sentAtMs = new Map<number, number>();
        let next = 101;
        for (const one of steps) {
          if (one.kind === 'write') write(next++, next % 30 === 0, one.octets);
          if (one.kind === 'wait') vi.advanceTimersByTime(one.ms);
          if (one.kind !== 'ask') continue;
          const before = sent.length;
          sink.retransmit(one.lost, rttMs);
          const nowMs = performance.now();
          const again = sent.slice(before).map(({ sequence }) => sequence);
          for (const sequence of new Set(again)) {
            const asked = sentAtMs.get(sequence);
            expect(again.filter((one) => one === sequence).length).toBeLessThanOrEqual(
              asked === undefined ? 1 : 2,
            );
            expect(nowMs - (asked ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(rttMs);
            sentAtMs.set(sequence, nowMs);
          }
        }
        const { octets, retransmittedOctets } = sink.stats;
        expect(retransmittedOctets).toBeLessThanOrEqual(32 * 1024 + 0.3 * (octets - retransmittedOctets));
        vi.useRealTimers();
      }),
    );
  });

  it('gets nothing while paused', () => {
    const { sink, write, texts } = open();
    write(100, true);
    sink.start(100);
    sink.pump(9);
    sink.pause();
    write(101, true);
    sink.pump(9);
    expect(texts()).toEqual([100]);
    expect(sink.started).toBe(false);
  });

  it('leaves a gap for a packet that the publisher is about to repair, and gets it when it arrives', () => {
    const { sink, write, sent } = open();
    write(100, true);
    sink.start(100);
    sink.pump(5);
    write(102);
    expect(sink.retransmit([11])).toBe(true);
    expect(sent).toHaveLength(2);
    write(101);
    expect(sent.at(-1)).toMatchObject({ sequence: 11, text: '101' });
    expect(sink.retransmit([9])).toBe(false);
  });

  it('that keeps asking for everything gets no more than its budget', () => {
    const { sink, write, ring } = open();
    write(100, true);
    sink.start(100);
    sink.pump(5);
    const looked = vi.spyOn(ring, 'get');
    const flood = Array.from({ length: 1024 }, (_, i) => i);
    for (let i = 0; i < 100; i++) sink.retransmit(flood);
    expect(looked.mock.calls.length).toBeLessThanOrEqual(2048);
    for (let n = 101; n < 601; n++) write(n);
    looked.mockClear();
    for (let i = 0; i < 100; i++) sink.retransmit(flood);
    expect(looked.mock.calls.length).toBeGreaterThan(1000);
    expect(looked.mock.calls.length).toBeLessThanOrEqual(2048);
  });
});
