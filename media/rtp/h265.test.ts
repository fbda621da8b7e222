import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildAp, fitH265, inspectH265, splitAp } from './h265.ts';
import { H265Depacketizer } from './h265-depacketizer.ts';
import { h265CodecString, parseH265Sps } from './h265-sps.ts';
import { inspectPayload, recogniseCodec, videoCodecs } from './video-payload.ts';

/** Made by x265 3.5: 320x180, Main, level 2 (60), of 184 coded lines. */
const vps = Buffer.from('40010c01ffff01600000030090000003000003003cba0240', 'hex');
const sps = Buffer.from(
  '420101016000000300900000030000' + '03003ca00a080c1f3e5ba4a4c2f0168080000003008000000f04',
  'hex',
);
const pps = Buffer.from('4401c073c189', 'hex');

const nal = fc
  .tuple(
    fc.integer({ min: 0, max: 47 }),
    fc.integer({ min: 1, max: 7 }),
    fc.uint8Array({ minLength: 1, maxLength: 5000 }),
  )
  .map(([type, temporal, body]) => Buffer.concat([Buffer.from([type << 1, temporal]), body]));

function depacketize(payloads: readonly Buffer[]): Buffer[] {
  const depacketizer = new H265Depacketizer();
  return payloads.flatMap((payload) => depacketizer.push(payload));
}

describe('H.265 in RTP', () => {
  it('survives packetization, however large its NAL units are', () => {
    fc.assert(
      fc.property(nal, fc.integer({ min: 5, max: 1400 }), (one, maxBytes) => {
        const packets = fitH265(one, maxBytes);
        for (const packet of packets) expect(packet.length).toBeLessThanOrEqual(maxBytes);
        expect(depacketize(packets)).toEqual([one]);
        // Cut once more, on a way that carries less.
        expect(depacketize(packets.flatMap((packet) => fitH265(packet, 5 + (maxBytes % 100))))).toEqual([
          one,
        ]);
      }),
    );
  });

  it('is extracted from aggregates, split or whole', () => {
    fc.assert(
      fc.property(fc.array(nal, { minLength: 1, maxLength: 8 }), (nals) => {
        const aggregate = buildAp(nals);
        expect(splitAp(aggregate)).toEqual(nals);
        expect(depacketize([aggregate])).toEqual(nals);
        expect(depacketize(fitH265(aggregate, 1200))).toEqual(nals);
        const lowest = Math.min(...nals.map((one) => (one[1] ?? 0) & 7));
        expect((aggregate[1] ?? 0) & 7).toBe(lowest);
      }),
    );
  });

  it('reveals pictures at which decoding can begin, however they are packed', () => {
    for (let type = 0; type < 48; type++) {
      const one = Buffer.concat([Buffer.from([type << 1, 1]), Buffer.alloc(3000, 1)]);
      const keyframe = type >= 16 && type <= 21;
      const picture = type < 32;
      expect(inspectH265(one)).toMatchObject({ keyframe, picture });
      expect(inspectH265(buildAp([one]))).toMatchObject({ keyframe, picture });
      const [first = one, second = one] = fitH265(one, 1200);
      expect(inspectH265(first)).toMatchObject({ keyframe, picture });
      expect(inspectH265(second)).toMatchObject({ keyframe: false, picture });
    }
    const info = inspectH265(buildAp([vps, sps, pps]));
    expect(info).toEqual({ vps, sps, pps, keyframe: false, picture: false });
  });

  it('cannot nest packets, and survives anything', () => {
    expect(splitAp(buildAp([buildAp([vps]), sps]))).toBeNull();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const payload = Buffer.from(bytes);
        inspectH265(payload);
        recogniseCodec(payload);
        parseH265Sps(payload);
        new H265Depacketizer().push(payload);
        for (const part of fitH265(payload, 20)) expect(part.length).toBeLessThanOrEqual(20);
      }),
    );
  });

  it('loses only the NAL unit with a missing part', () => {
    const large = Buffer.concat([Buffer.from([0x26, 1]), Buffer.alloc(3000, 1)]);
    const [first, , last] = fitH265(large, 1200);
    const depacketizer = new H265Depacketizer();
    expect(depacketizer.push(first ?? large)).toEqual([]);
    depacketizer.lost();
    expect(depacketizer.push(last ?? large)).toEqual([]);
    expect(depacketizer.push(vps)).toEqual([vps]);
  });
});

describe('A sequence parameter set of H.265', () => {
  it('yields size, profile and level', () => {
    const info = parseH265Sps(sps);
    expect(info).toMatchObject({ width: 320, height: 180, profileId: 1, tierFlag: 0, levelId: 60 });
    expect(info && h265CodecString(info)).toBe('hvc1.1.6.L60.90');
  });
});

describe('The codec of a source', () => {
  it('is recognised by its parameter sets, and by nothing else', () => {
    const h264Sps = Buffer.from('6742c01fda014016ec0440000003004000000f03c60ca8', 'hex');
    expect(recogniseCodec(vps)).toBe('h265');
    expect(recogniseCodec(buildAp([vps, sps, pps]))).toBe('h265');
    expect(recogniseCodec(h264Sps)).toBe('h264');
    for (const payload of [sps, pps, Buffer.from([0x26, 1, 9]), Buffer.from([0x65, 1, 9]), Buffer.alloc(0)])
      expect(recogniseCodec(payload)).toBeNull();
  });

  it('is never both', () => {
    const base = nal.map((one) =>
      Buffer.concat([Buffer.from([(one[0] ?? 0) & 0x7e, one[1] ?? 1]), one.subarray(2)]),
    );
    fc.assert(
      fc.property(base, (one) => {
        const [h264, h265] = videoCodecs.map((codec) => inspectPayload(codec, one));
        if (h265?.vps) expect(h264?.sps).toBeNull();
        expect(recogniseCodec(one)).not.toBe('h264');
      }),
    );
  });
});
