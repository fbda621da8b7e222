import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildReferenceTime, referenceEchoesIn } from './extended-report.fake.ts';
import { middleOfNtp, ntpOfUnixMs, unixMsOfNtp } from './ntp.ts';
import { parseRtcp } from './rtcp.ts';
import {
  buildBye,
  buildCanonicalName,
  buildNack,
  buildPictureLoss,
  buildReceiverReport,
  buildReferenceEchoes,
  buildRemb,
  buildSenderReport,
} from './rtcp-build.ts';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });

describe('RTCP', () => {
  it('names exactly the lost packets', () => {
    const lost = fc.uniqueArray(fc.integer({ min: 0, max: 65535 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(lost, (numbers) => {
        const sorted = numbers.sort((a, b) => a - b);
        const [packet] = parseRtcp(buildNack(1, 2, sorted));
        expect(packet).toEqual({ kind: 'nack', mediaSsrc: 2, lost: sorted });
      }),
    );
  });

  it('requests no number twice, and no more than a receiver can miss', () => {
    const repeated = Array.from({ length: 300 }, () => 5);
    const flood = Array.from({ length: 400 }, (_, i) => i * 17);
    const fci = (numbers: number[]) => {
      const packet = buildNack(1, 2, [1]);
      const body = Buffer.alloc(numbers.length * 4, 0xff);
      numbers.forEach((number, i) => {
        body.writeUInt16BE(number & 0xffff, i * 4);
      });
      packet.writeUInt16BE(2 + numbers.length, 2);
      return Buffer.concat([packet.subarray(0, 12), body]);
    };
    const lost = (numbers: number[]) => {
      const [packet] = parseRtcp(fci(numbers));
      return packet?.kind === 'nack' ? packet.lost : [];
    };
    expect(lost(repeated)).toEqual(Array.from({ length: 17 }, (_, i) => 5 + i));
    expect(lost(flood)).toHaveLength(1024);
  });

  it('packs a run across the wrap into one entry', () => {
    const packet = buildNack(1, 2, [65534, 65535, 0, 1]);
    expect(packet.length).toBe(16);
    expect(parseRtcp(packet)).toEqual([{ kind: 'nack', mediaSsrc: 2, lost: [65534, 65535, 0, 1] }]);
  });

  it('carries a compound of reports and feedback', () => {
    const report = {
      ssrc: 7,
      lossRatio: 0.5,
      lostTotal: -3,
      highestSequence: 70_000,
      jitter: 12,
      lastReport: 99,
      delaySinceLastReport: 100,
    };
    const ntp = ntpOfUnixMs(1_700_000_000_123);
    const compound = Buffer.concat([
      buildSenderReport({ ssrc: 1, ntp, rtpTimestamp: 2, packets: 3, octets: 4 }),
      buildCanonicalName(1, 'name'),
      buildReceiverReport(5, [report]),
      buildPictureLoss(5, 6),
      buildBye([8]),
    ]);
    expect(parseRtcp(compound)).toEqual([
      { kind: 'sender-report', ssrc: 1, ntp, rtpTimestamp: 2, packets: 3, octets: 4, reports: [] },
      { kind: 'other', type: 202 },
      { kind: 'receiver-report', ssrc: 5, reports: [report] },
      { kind: 'picture-loss', mediaSsrc: 6 },
      { kind: 'bye', ssrcs: [8] },
    ]);
  });

  it('states a bit rate within its precision', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 2_000_000_000 }), uint32, (bitrate, ssrc) => {
        const [packet] = parseRtcp(buildRemb(1, bitrate, [ssrc]));
        if (packet?.kind !== 'remb') throw new Error('no REMB');
        expect(packet.ssrcs).toEqual([ssrc]);
        expect(packet.bitrateBps).toBeLessThanOrEqual(bitrate);
        expect(packet.bitrateBps).toBeGreaterThan(bitrate * 0.9999 - 1);
      }),
    );
  });

  it('carries the clocks of receivers and their echoes', () => {
    const ntp = fc.record({ seconds: uint32, fraction: uint32 });
    const echo = fc.record({ ssrc: uint32, lastReference: uint32, delay: uint32 });
    fc.assert(
      fc.property(uint32, ntp, fc.array(echo, { maxLength: 5 }), (ssrc, time, echoes) => {
        const compound = Buffer.concat([
          buildReferenceTime({ ssrc, ntp: time }),
          buildReferenceEchoes(ssrc, echoes),
        ]);
        expect(parseRtcp(compound)).toEqual([
          { kind: 'extended-report', references: [{ ssrc, ntp: time }] },
          { kind: 'extended-report', references: [] },
        ]);
        expect(referenceEchoesIn(compound)).toEqual(echoes);
      }),
    );
  });

  it('skips blocks of extended reports that it does not know, and stops at a malformed one', () => {
    const known = buildReferenceTime({ ssrc: 7, ntp: { seconds: 1, fraction: 2 } });
    const withBlocks = (...blocks: Buffer[]) => {
      const packet = Buffer.concat([known.subarray(0, 8), ...blocks]);
      packet.writeUInt16BE(packet.length / 4 - 1, 2);
      return parseRtcp(packet);
    };
    const unknown = Buffer.from([1, 0, 0, 1, 9, 9, 9, 9]);
    const endless = Buffer.from([4, 0, 0, 9]);
    const read = [{ ssrc: 7, ntp: { seconds: 1, fraction: 2 } }];
    expect(withBlocks(unknown, known.subarray(8))).toMatchObject([{ references: read }]);
    expect(withBlocks(known.subarray(8), endless)).toMatchObject([{ references: read }]);
    expect(withBlocks(endless, known.subarray(8))).toMatchObject([{ references: [] }]);
  });

  it('never throws on garbage', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseRtcp(Buffer.from(bytes))));
    fc.assert(
      fc.property(
        fc.constantFrom(200, 201, 203, 205, 206, 207),
        fc.uint8Array({ maxLength: 60 }),
        (type, bytes) => {
          const body = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 4)));
          const packet = Buffer.concat([Buffer.from([0x9f, type, 0, body.length / 4]), body]);
          parseRtcp(packet);
        },
      ),
    );
  });
});

describe('NTP time', () => {
  it('keeps the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000_000_000_000 }), (unixMs) => {
        expect(unixMsOfNtp(ntpOfUnixMs(unixMs))).toBeCloseTo(unixMs, 2);
      }),
    );
  });

  it('returns the middle bits that reports echo', () => {
    expect(middleOfNtp({ seconds: 0x12345678, fraction: 0x9abcdef0 })).toBe(0x56789abc);
  });
});
