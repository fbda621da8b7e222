import type { TrackRelay } from '../datapath/datapath.ts';
import type { PayloadInfo } from '../rtp/payload-info.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { timestampDistance } from '../rtp/sequence.ts';
import type { NormalizedPosition } from '../rtp/stream-normalizer.ts';
import {
  aggregate,
  fitPayload,
  inspectPayload,
  parseVideoInfo,
  recogniseCodec,
  type VideoCodec,
  type VideoInfo,
} from '../rtp/video-payload.ts';
import { ReorderMeter } from './reorder-meter.ts';
import { createTrackParts, type TrackParts, VIDEO_CLOCK_HZ } from './track.ts';

/**
 * What fits an Ethernet frame beside IP, UDP, RTP and SRTP, with some room. Publishers usually stay below it, and unchanged
 * packets cost nothing.
 */
const MAX_PAYLOAD_BYTES = 1400;

/** The picture whose packets are arriving. */
interface Picture {
  readonly timestamp: number;
  /** Its first packet. */
  start: number;
  counted: boolean;
  marked: boolean;
  hasParameters: boolean;
}

/** What the track reports. */
export interface VideoTrackOptions {
  readonly onKeyframe: () => void;
  /** A new source sends, and its first keyframe is missing, or came without parameter sets. */
  readonly onKeyframeNeeded: () => void;
  readonly onFrame: () => void;
}

/** A feed's picture, H.264 or H.265: one continuous stream out of successive sources, with its keyframes marked. */
export class VideoTrack implements Disposable {
  readonly parts: TrackParts;
  readonly #options: VideoTrackOptions;
  readonly #order = new ReorderMeter();
  #picture: Picture | null = null;
  /** Timestamp of the frame that is shown last of those counted. */
  #shown: number | null = null;
  /** Of the present source. */
  #codec: VideoCodec = 'h264';
  /** H.265 alone. */
  #vps: Buffer | null = null;
  #sps: Buffer | null = null;
  #pps: Buffer | null = null;
  #info: VideoInfo | null = null;
  #frames = 0;
  #octets = 0;
  #lastFrameMs: number | null = null;
  /** Start of the newest keyframe. */
  #keyframe = Number.NEGATIVE_INFINITY;
  #keyframeMs: number | null = null;

  constructor(relay: TrackRelay, options: VideoTrackOptions) {
    this.parts = createTrackParts(relay, VIDEO_CLOCK_HZ);
    this.#options = options;
  }

  /** Geometry and profile of the newest parameter set; null before the first. */
  get info(): VideoInfo | null {
    return this.#info;
  }

  /** Frames are sent in another order than they are shown. */
  get reorders(): boolean {
    return this.#order.reorders;
  }

  get frames(): number {
    return this.#frames;
  }

  get octets(): number {
    return this.#octets;
  }

  /** performance.now() of the newest frame's first packet. */
  get lastFrameMs(): number | null {
    return this.#lastFrameMs;
  }

  get keyframeMs(): number | null {
    return this.#keyframeMs;
  }

  /** The newest keyframe and what follows it is kept. */
  get keyframeKept(): boolean {
    return this.parts.relay.keyframe !== null;
  }

  /** Another publisher sends from now on: its packets, and the parameter sets they need, must be learnt. */
  beginSource(): void {
    this.parts.normalizer.endSource();
    this.#forgetParameterSets();
  }

  /** Parameter sets that the publisher gave in its SDP. */
  setParameterSets(nals: readonly Buffer[]): void {
    for (const nal of nals) {
      this.#recognise(nal);
      this.#takeParameterSets(inspectPayload(this.#codec, nal));
    }
  }

  write(packet: RtpPacket, nowMs: number): void {
    if (packet.payload.length === 0) {
      this.#forwardPadding(packet, nowMs);
      return;
    }
    const { normalizer, clock } = this.parts;
    const starts = normalizer.startsSource(packet.ssrc, packet.sequence);
    if (starts) this.#recognise(packet.payload);
    const info = inspectPayload(this.#codec, packet.payload);
    this.#takeParameterSets(info);
    // A new source is admitted with its first keyframe and what decoding that needs: before it nothing can be decoded.
    if (starts) {
      const decodable =
        info.vps !== null || info.sps !== null || (info.keyframe && this.#parameterSets !== null);
      if (!decodable) {
        this.#options.onKeyframeNeeded();
        return;
      }
      clock.reset();
      this.#picture = null;
    }
    const place = normalizer.place(packet.ssrc, packet.sequence, packet.timestamp, nowMs);
    if (place === null) return;
    if (place.stepped) clock.reset();
    clock.noteArrival(place.timestamp, nowMs);
    this.#forward(packet, place);
    this.#followPicture(place, info, nowMs);
  }

  [Symbol.dispose](): void {
    this.parts.relay[Symbol.dispose]();
  }

  /** Padding is passed on as an empty packet: left out, it would look like a loss to the viewers. */
  #forwardPadding(packet: RtpPacket, nowMs: number): void {
    const { normalizer, relay } = this.parts;
    if (normalizer.startsSource(packet.ssrc, packet.sequence)) return;
    const place = normalizer.place(packet.ssrc, packet.sequence, packet.timestamp, nowMs);
    if (place === null) return;
    relay.write({
      sequence: place.sequence,
      timestamp: place.timestamp,
      marker: false,
      payload: packet.payload,
    });
  }

  #forward(packet: RtpPacket, place: NormalizedPosition): void {
    const fitting = place.newest
      ? fitPayload(this.#codec, packet.payload, MAX_PAYLOAD_BYTES)
      : [packet.payload];
    // What is left out must not look like a loss; what comes late has only one place, and is passed on whole.
    const payloads = fitting.length === 0 ? [packet.payload.subarray(0, 0)] : fitting;
    payloads.forEach((payload, i) => {
      this.#octets += payload.length;
      this.parts.relay.write({
        sequence: place.sequence + i,
        timestamp: place.timestamp,
        marker: packet.marker && i === payloads.length - 1,
        payload,
      });
    });
    this.parts.normalizer.insert(payloads.length - 1);
  }

  #followPicture(place: NormalizedPosition, info: PayloadInfo, nowMs: number): void {
    let picture = this.#picture;
    if (picture?.timestamp !== place.timestamp) {
      const begun = pictureAt(place);
      if (!place.newest) {
        // Of an earlier picture; a keyframe that is complete only now is one all the same.
        if (info.keyframe && place.sequence > this.#keyframe) this.#markKeyframe(begun, nowMs);
        return;
      }
      picture = begun;
      this.#picture = picture;
    }
    picture.start = Math.min(picture.start, place.sequence);
    if (info.vps !== null || info.sps !== null) picture.hasParameters = true;
    if (info.picture && !picture.counted) this.#countFrame(picture, nowMs);
    if (info.keyframe && !picture.marked) this.#markKeyframe(picture, nowMs);
  }

  #countFrame(picture: Picture, nowMs: number): void {
    picture.counted = true;
    const ahead = this.#shown === null ? 1 : timestampDistance(this.#shown, picture.timestamp);
    this.#order.note(ahead < 0);
    if (ahead > 0) this.#shown = picture.timestamp;
    this.#frames++;
    this.#lastFrameMs = nowMs;
    this.#options.onFrame();
  }

  #markKeyframe(picture: Picture, nowMs: number): void {
    const sets = this.#parameterSets;
    if (sets === null) {
      this.#options.onKeyframeNeeded();
      return;
    }
    picture.marked = true;
    this.#keyframe = picture.start;
    this.#keyframeMs = nowMs;
    const preface = picture.hasParameters ? [] : [aggregate(this.#codec, sets)];
    this.parts.relay.markKeyframe(picture.start, preface);
    this.#options.onKeyframe();
  }

  /** Each source may have a codec of its own, and shows it with its first parameter sets. */
  #recognise(payload: Buffer): void {
    const codec = recogniseCodec(payload);
    if (codec === null || codec === this.#codec) return;
    this.#codec = codec;
    this.#forgetParameterSets();
  }

  /** What decoding needs; null if some of it is unknown. */
  get #parameterSets(): Buffer[] | null {
    if (this.#sps === null || this.#pps === null) return null;
    if (this.#codec === 'h264') return [this.#sps, this.#pps];
    return this.#vps === null ? null : [this.#vps, this.#sps, this.#pps];
  }

  #forgetParameterSets(): void {
    this.#vps = null;
    this.#sps = null;
    this.#pps = null;
  }

  #takeParameterSets({ vps, sps, pps }: PayloadInfo): void {
    if (vps !== null) this.#vps = Buffer.from(vps);
    if (sps !== null) this.#takeSps(sps);
    if (pps !== null) this.#pps = Buffer.from(pps);
  }

  #takeSps(nal: Buffer): void {
    if (this.#sps?.equals(nal)) return;
    this.#sps = Buffer.from(nal);
    this.#info = parseVideoInfo(this.#codec, this.#sps) ?? this.#info;
  }
}

function pictureAt({ timestamp, sequence }: NormalizedPosition): Picture {
  return { timestamp, start: sequence, counted: false, marked: false, hasParameters: false };
}
