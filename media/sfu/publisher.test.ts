import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { buildStapA } from '../rtp/h264.ts';
import { IDR, type NotedTransport, openFeed, PPS, SLICE, SPS } from './feed-rig.fake.ts';

describe('A publisher', () => {
  it('that returns with its SSRC and another sequence continues at once, without a gap for the viewers', () => {
    const { feed, relays, publish } = openFeed();
    const first = publish();
    for (const [i, payload] of [SPS, PPS, IDR, SLICE].entries())
      first.transport.receive({ sequence: 1000 + i, timestamp: i < 3 ? 0 : 3000, payload });
    first.publisher.close();
    const second = publish();
    for (const [i, payload] of [SPS, PPS, IDR, SLICE].entries())
      second.transport.receive({ sequence: 700 + i, timestamp: 70_000 + (i < 3 ? 0 : 3000), payload });
    const sequences = relays.video.written.map(
      ({ sequence }) => sequence - (relays.video.written[0]?.sequence ?? 0),
    );
    expect(sequences).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(relays.video.keyframes).toHaveLength(2);
    expect(feed.state).toBe('online');
  });

  it('whose timestamps step back within one SSRC stays online and joinable', () => {
    vi.useFakeTimers();
    try {
      const { feed, relays, publish } = openFeed();
      const { transport } = publish();
      let sequence = 0;
      for (let frame = 0; frame < 200; frame++) {
        const timestamp = (2_000_000_000 + frame * 3000 - (frame < 100 ? 0 : 3600 * 90_000)) >>> 0;
        for (const payload of frame % 50 === 0 ? [SPS, PPS, IDR] : [SLICE])
          transport.receive({ sequence: sequence++, timestamp, payload });
        vi.advanceTimersByTime(33);
        feed.tick(performance.now());
        expect(feed.state).toBe('online');
      }
      expect(feed.video.frames).toBe(200);
      expect(relays.video.keyframes).toHaveLength(4);
    } finally {
      vi.useRealTimers();
    }
  });

  it('that sends several layers at once is received at one of them', () => {
    const { relays, publish } = openFeed();
    const { transport, publisher } = publish();
    for (let frame = 0; frame < 50; frame++) {
      for (const ssrc of [11, 22, 33]) {
        const payloads = frame % 10 === 0 ? [SPS, PPS, IDR] : [SLICE, SLICE, SLICE];
        for (const [i, payload] of payloads.entries())
          transport.receive({ ssrc, sequence: frame * 3 + i, timestamp: frame * 3000, payload });
      }
    }
    expect(relays.video.written).toHaveLength(150);
    expect(relays.video.keyframes).toHaveLength(5);
    expect(publisher.packetsLost).toBe(0);
  });

  it('reports the loss of the last seconds in the stats of its feed, and none once everything arrives again', () => {
    vi.useFakeTimers();
    try {
      const { feed, publish } = openFeed();
      expect(feed.stats(performance.now()).lossRatio).toBeNull();
      const { transport } = publish();
      const send = (frames: number, isLost: (sequence: number) => boolean, from: number) => {
        for (let frame = from; frame < from + frames; frame++) {
          const payload = frame === 0 ? IDR : SLICE;
          if (!isLost(frame)) transport.receive({ sequence: frame, timestamp: frame * 3000, payload });
          vi.advanceTimersByTime(33);
          feed.tick(performance.now());
        }
      };
      send(200, (frame) => frame % 10 === 5, 0);
      expect(feed.stats(performance.now()).lossRatio).toBeCloseTo(0.1, 1);
      send(100, () => false, 200);
      expect(feed.stats(performance.now()).lossRatio).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is asked for what a picture needs to be decoded', () => {
    const { feed, relays, publish } = openFeed();
    const { transport } = publish();
    transport.receive({ sequence: 1, payload: IDR });
    expect(transport.pictureLosses).toBe(1);
    expect(feed.ready).toBe(false);
    for (const [i, payload] of [SPS, PPS, IDR].entries())
      transport.receive({ sequence: 2 + i, timestamp: 3000, payload });
    expect(relays.video.written).toHaveLength(3);
    expect(feed.ready).toBe(true);
  });

  it('that repairs under a separate payload type is repaired, and asked in the short form if it accepts that', () => {
    const { relays, publish } = openFeed();
    const { transport, publisher } = publish({ repairPayloadType: 97, reducedSize: true });
    for (const [i, payload] of [SPS, PPS, IDR].entries()) transport.receive({ sequence: i, payload });
    transport.receive({ sequence: 5, timestamp: 6000 });
    expect(transport.asked).toEqual([3, 4]);
    expect(transport.sent.filter((compound) => compound.some(({ kind }) => kind === 'nack'))).toEqual([
      [{ kind: 'nack', mediaSsrc: 1, lost: [3, 4] }],
    ]);
    for (const [i, sequence] of [3, 4].entries()) {
      const payload = Buffer.concat([Buffer.from([0, sequence]), SLICE]);
      transport.receive({ ssrc: 77, payloadType: 97, sequence: 900 + i, timestamp: 3000, payload });
    }
    transport.receive({ ssrc: 77, payloadType: 97, sequence: 902, payload: Buffer.alloc(2) });
    const first = relays.video.written[0]?.sequence ?? 0;
    const places = relays.video.written.map(({ sequence, payload }) => [
      sequence - first,
      payload.equals(SLICE),
    ]);
    expect(places.slice(3)).toEqual([
      [5, true],
      [3, true],
      [4, true],
    ]);
    expect(publisher.packetsLost).toBe(0);
  });

  it('is never decoded with the parameters of the one before it', () => {
    const { relays, publish } = openFeed();
    const first = publish();
    for (const [i, payload] of [SPS, PPS, IDR].entries()) first.transport.receive({ sequence: i, payload });
    first.publisher.close();
    const second = publish();
    second.transport.receive({ ssrc: 2, sequence: 1, payload: IDR });
    expect(relays.video.keyframes).toHaveLength(1);
    expect(second.transport.pictureLosses).toBeGreaterThan(0);
  });
});

describe('Anything a publisher sends', () => {
  const payloads = [
    SPS,
    PPS,
    IDR,
    SLICE,
    Buffer.alloc(0),
    buildStapA([SPS, PPS, IDR]),
    Buffer.alloc(3000, 0x41),
  ];
  const payload = fc.oneof(
    fc.constantFrom(...payloads),
    fc.uint8Array({ maxLength: 1600 }).map((bytes) => Buffer.from(bytes)),
    fc.integer({ min: 2, max: 60 }).map((depth) => {
      let nested: Buffer = IDR;
      for (let i = 0; i < depth; i++) nested = buildStapA([nested]);
      return nested;
    }),
  );
  const packet = fc.record({
    ssrc: fc.constantFrom(1, 1, 1, 2, 3),
    payloadType: fc.constantFrom(96, 96, 96, 97, 111, 5),
    sequence: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 0xffff })),
    timestamp: fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: 0, max: 0xffffffff })),
    marker: fc.boolean(),
    payload,
  });

  it('is survived, and its feed continues in small steps', () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 200 }), (packets) => {
        const { feed, relays, publish } = openFeed();
        const audio = { codec: 'opus', payloadType: 111 } as const;
        const { transport, publisher } = publish({ audio, repairPayloadType: 97 });
        for (const one of packets) transport.receive(one);
        for (const { written } of [relays.video, relays.audio]) {
          let head = written[0]?.sequence ?? 0;
          for (const { sequence } of written) {
            expect(sequence).toBeGreaterThan(0);
            expect(Math.abs(sequence - head)).toBeLessThanOrEqual(3001);
            head = Math.max(head, sequence);
          }
        }
        feed.stats(performance.now());
        publisher.close();
      }),
      { numRuns: 300 },
    );
  });
});

describe('A feed', () => {
  it('is not lost to a newcomer while its publisher sends', () => {
    const { feed, relays, publish } = openFeed();
    const first = publish();
    for (const [i, payload] of [SPS, PPS, IDR].entries()) first.transport.receive({ sequence: i, payload });
    const second = publish({ claim: () => false });
    expect(second.transport.state).toBe('closed');
    second.transport.receive({ ssrc: 9, sequence: 5, payload: IDR });
    expect(feed.source).toBe(first.publisher);
    expect(feed.expected.size).toBe(0);
    expect(relays.video.written).toHaveLength(3);
  });
});

describe('A viewer that joins', () => {
  const picture = (transport: NotedTransport, sequence: number, timestamp: number): void => {
    for (const [i, payload] of [SPS, PPS, IDR].entries())
      transport.receive({ sequence: sequence + i, timestamp, payload });
  };

  it('starts with the last keyframe, however old, if the publisher makes none on request', () => {
    vi.useFakeTimers();
    try {
      const { feed, relays, publish } = openFeed();
      const { transport } = publish();
      picture(transport, 0, 0);
      for (let frame = 1; frame <= 140; frame++) {
        vi.advanceTimersByTime(50);
        transport.receive({ sequence: 2 + frame, timestamp: frame * 4500 });
      }
      expect(feed.joinPoint(performance.now(), relays.video.keyframe)).toBe(relays.video.keyframes[0]);
      // Asked all the same: now it is known what it does.
      expect(transport.pictureLosses).toBe(1);
      vi.advanceTimersByTime(200);
      picture(transport, 143, 145 * 4500);
      vi.advanceTimersByTime(5000);
      expect(feed.joinPoint(performance.now(), relays.video.keyframe)).toBeNull();
    } finally {
      vi.useRealTimers();
    }
  });

  it('no longer waits for a publisher that stopped answering requests', () => {
    vi.useFakeTimers();
    try {
      const { feed, relays, publish } = openFeed();
      const { transport } = publish();
      picture(transport, 0, 0);
      feed.requestKeyframe();
      vi.advanceTimersByTime(100);
      picture(transport, 3, 9000);
      vi.advanceTimersByTime(4000);
      expect(feed.joinPoint(performance.now(), relays.video.keyframe)).toBeNull();
      vi.advanceTimersByTime(4000);
      expect(feed.joinPoint(performance.now(), relays.video.keyframe)).not.toBeNull();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('A feed reports', () => {
  it('B-frames and what to change, until they end', () => {
    const { feed, publish } = openFeed();
    const { transport } = publish();
    let sequence = 0;
    const send = (timestamp: number, payload = SLICE) =>
      transport.receive({ sequence: sequence++, timestamp: 1_000_000 + timestamp, payload });
    for (const payload of [SPS, PPS, IDR]) send(0, payload);
    expect(feed.stats(performance.now()).notices).toEqual([]);
    for (let group = 0; group < 20; group++) for (const frame of [3, 1, 2]) send((group * 3 + frame) * 3000);
    expect(feed.stats(performance.now()).notices.join()).toMatch(/B-frames.*Baseline/);
    expect(feed.video.frames).toBe(61);
    for (let frame = 61; frame < 400; frame++) send(frame * 3000);
    expect(feed.stats(performance.now()).notices).toEqual([]);
  });

  it('that nobody can start with its pictures', () => {
    const { feed, relays, publish } = openFeed();
    const { transport } = publish({ notices: ['Its sound is not passed on.'] });
    for (const [i, payload] of [SPS, PPS, IDR].entries()) transport.receive({ sequence: i, payload });
    relays.video.keyframe = null;
    expect(feed.stats(performance.now() + 1000).notices).toEqual(['Its sound is not passed on.']);
    expect(feed.stats(performance.now() + 9000).notices.join()).toContain('Set a keyframe every 2 s');
  });
});

describe('A viewer that waits for a feed', () => {
  it('wakes when the feed recovers from a stall, not only at its next keyframe', async () => {
    vi.useFakeTimers();
    try {
      const { feed, publish } = openFeed();
      const { transport } = publish();
      for (const [i, payload] of [SPS, PPS, IDR].entries()) transport.receive({ sequence: i, payload });
      vi.advanceTimersByTime(3000);
      feed.tick(performance.now());
      expect(feed.state).toBe('stalled');
      let woken: boolean | null = null;
      void feed.whenReady(60_000).then((ready) => {
        woken = ready;
      });
      transport.receive({ sequence: 3, timestamp: 270_000 });
      await vi.advanceTimersByTimeAsync(0);
      expect(woken).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});
