import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildStapA, inspectH264, NalType, splitStapA } from './h264.ts';
import { H264Depacketizer } from './h264-depacketizer.ts';
import { fitH264 } from './h264-fit.ts';
import { parseSps } from './h264-sps.ts';

/** Written by libx264 of Debian 12 (ffmpeg 5.1.9). */
const SPS_720P = Buffer.from('6742c01fda014016ec0440000003004000000f03c60ca8', 'hex');

const nal = fc
  .tuple(fc.constantFrom(0x61, 0x65, 0x41, 0x06), fc.uint8Array({ minLength: 1, maxLength: 5000 }))
  .map(([header, body]) => Buffer.concat([Buffer.from([header]), body]));

function depacketize(payloads: readonly Buffer[]): Buffer[] {
  const depacketizer = new H264Depacketizer();
  return payloads.flatMap((payload) => depacketizer.push(payload));
}

describe('H.264 payloads', () => {
  it('are split to size without altering a NAL unit', () => {
    fc.assert(
      fc.property(
        fc.array(nal, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 50, max: 1300 }),
        (nals, max) => {
          const payloads = nals.flatMap((unit) => fitH264(unit, max));
          expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThanOrEqual(max);
          expect(depacketize(payloads)).toEqual(nals);
          const smaller = payloads.flatMap((payload) => fitH264(payload, 40));
          expect(depacketize(smaller)).toEqual(nals);
        },
      ),
    );
  });

  it('pass unchanged if they fit', () => {
    const payload = Buffer.alloc(1200, 0x41);
    expect(fitH264(payload, 1200)).toEqual([payload]);
    expect(fitH264(payload, 1200)[0]).toBe(payload);
  });

  it('are extracted from aggregation packets', () => {
    fc.assert(
      fc.property(fc.array(nal, { minLength: 1, maxLength: 8 }), (nals) => {
        const aggregate = buildStapA(nals);
        expect(splitStapA(aggregate)).toEqual(nals);
        expect(depacketize([aggregate])).toEqual(nals);
        expect(depacketize(fitH264(aggregate, 1200))).toEqual(nals);
      }),
    );
  });

  it('reveal a keyframe however it is packed', () => {
    const idr = Buffer.concat([Buffer.from([0x65]), Buffer.alloc(3000, 1)]);
    expect(inspectH264(idr).keyframe).toBe(true);
    const [first, second] = fitH264(idr, 1200);
    expect(inspectH264(first ?? idr).keyframe).toBe(true);
    expect(inspectH264(second ?? idr)).toMatchObject({ keyframe: false, picture: true });
    const pps = Buffer.from([0x68, 1, 2]);
    const info = inspectH264(buildStapA([SPS_720P, pps]));
    expect(info.sps).toEqual(SPS_720P);
    expect(info.pps).toEqual(pps);
    expect(info.picture).toBe(false);
  });

  it('cannot nest packets at any depth', () => {
    let nested = Buffer.from([0x65, 1, 2, 3]);
    while (nested.length < 60_000) {
      const length = Buffer.alloc(3, 24);
      length.writeUInt16BE(nested.length, 1);
      nested = Buffer.concat([length, nested]);
    }
    expect(splitStapA(nested)).toBeNull();
    expect(fitH264(nested, 1200)).toEqual([]);
    expect(inspectH264(nested)).toEqual({ picture: false, keyframe: false, vps: null, sps: null, pps: null });
    for (const type of [0, 24, 25, 26, 27, 28, 29, 30, 31]) {
      const inner = Buffer.concat([Buffer.from([type]), Buffer.alloc(2000)]);
      expect(splitStapA(buildStapA([inner]))).toBeNull();
      expect(depacketize([Buffer.concat([Buffer.from([28, 0xc0 | type]), Buffer.alloc(9)])])).toEqual([]);
      if (type !== NalType.FU_A && type !== NalType.STAP_A) expect(fitH264(inner, 1200)).toEqual([]);
    }
  });

  it('are dropped if they arrive in endless tiny pieces', () => {
    const depacketizer = new H264Depacketizer();
    depacketizer.push(Buffer.from([0x7c, 0x85, 1]));
    for (let i = 0; i < 20_000; i++) depacketizer.push(Buffer.from([0x7c, 0x05, 1]));
    expect(depacketizer.push(Buffer.from([0x7c, 0x45, 1]))).toEqual([]);
  });

  it('never throw on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const payload = Buffer.from(bytes);
        inspectH264(payload);
        splitStapA(payload);
        if (payload.length > 3) fitH264(payload, 20);
        new H264Depacketizer().push(payload);
        parseSps(payload);
      }),
    );
  });

  it('drop a NAL unit with a missing part', () => {
    const depacketizer = new H264Depacketizer();
    const parts = fitH264(Buffer.alloc(3000, 0x65), 1000);
    depacketizer.push(parts[0] ?? Buffer.alloc(0));
    depacketizer.lost();
    expect(depacketizer.push(parts[2] ?? Buffer.alloc(0))).toEqual([]);
    expect(depacketizer.push(Buffer.from([0x41, 1]))).toEqual([Buffer.from([0x41, 1])]);
  });
});

describe('sequence parameter sets', () => {
  it.each([
    [SPS_720P.toString('hex'), '42c01f', 1280, 720],
    ['67640028acd940780227e5c044000003000400000300f03c60c658', '640028', 1920, 1080],
    ['6764000dacd941519e22230110000003001000000303c0f1429960', '64000d', 322, 178],
    ['67f4001e919b281405ff138088000003000800000301e078b16cb0', 'f4001e', 640, 360],
  ])('of libx264 yield size and profile: %s', (hex, profileLevelId, width, height) => {
    expect(parseSps(Buffer.from(hex, 'hex'))).toEqual({ profileLevelId, width, height });
  });

  it('that are truncated are rejected', () => {
    for (let length = 0; length < 9; length++) expect(parseSps(SPS_720P.subarray(0, length))).toBeNull();
  });
});
