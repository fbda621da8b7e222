/** The picture inside RTP, whichever of our codecs it has. */
import { buildStapA, inspectH264 } from './h264.ts';
import { fitH264 } from './h264-fit.ts';
import { parseSps, type SpsInfo } from './h264-sps.ts';
import { buildAp, fitH265, inspectH265 } from './h265.ts';
import { type H265SpsInfo, h265CodecString, parseH265Sps } from './h265-sps.ts';
import type { PayloadInfo } from './payload-info.ts';

/** Codecs of pictures that are passed on. The native datapath knows them by their place in this list. */
export const videoCodecs = ['h264', 'h265'] as const;

/** One of them. */
export type VideoCodec = (typeof videoCodecs)[number];

/** What the newest parameter set says about the pictures. Sizes in pixels. */
export type VideoInfo = ({ readonly codec: 'h264' } & SpsInfo) | ({ readonly codec: 'h265' } & H265SpsInfo);

/** Reads a payload; malformed ones give "nothing of interest". */
export function inspectPayload(codec: VideoCodec, payload: Buffer): PayloadInfo {
  return codec === 'h265' ? inspectH265(payload) : inspectH264(payload);
}

/** Splits a payload that exceeds `maxBytes` into several that fit; see fitH264 and fitH265. */
export function fitPayload(codec: VideoCodec, payload: Buffer, maxBytes: number): Buffer[] {
  return codec === 'h265' ? fitH265(payload, maxBytes) : fitH264(payload, maxBytes);
}

/** One aggregation packet of several whole NAL units. */
export function aggregate(codec: VideoCodec, nals: readonly Buffer[]): Buffer {
  return codec === 'h265' ? buildAp(nals) : buildStapA(nals);
}

/**
 * The codec that a packet with parameter sets shows; null for all other packets. The type of a VPS is not in use in H.264, and the
 * first byte of an SPS or STAP-A of H.264 belongs to no H.265 of one layer.
 */
export function recogniseCodec(payload: Buffer): VideoCodec | null {
  const [first = 0x80] = payload;
  if ((first & 0x80) !== 0) return null;
  if ((first & 1) === 0 && inspectH265(payload).vps !== null) return 'h265';
  return inspectH264(payload).sps === null ? null : 'h264';
}

/** Reads a sequence parameter set; null if it is malformed. */
export function parseVideoInfo(codec: VideoCodec, sps: Buffer): VideoInfo | null {
  if (codec === 'h265') {
    const info = parseH265Sps(sps);
    return info === null ? null : { codec, ...info };
  }
  const info = parseSps(sps);
  return info === null ? null : { codec, ...info };
}

/** The codec with profile and level, as RFC 6381 and ISO/IEC 14496-15 write it: `avc1.42c01f`, `hvc1.1.6.L93.B0`. */
export function codecString(info: VideoInfo): string {
  return info.codec === 'h265' ? h265CodecString(info) : `avc1.${info.profileLevelId}`;
}

/** The codec as people know it. */
export const codecNames: Readonly<Record<VideoCodec, string>> = { h264: 'H.264', h265: 'H.265' };
