import type { TrackRelay } from '../datapath/datapath.ts';
import { buildStapA, type H264PayloadInfo, inspectH264, NalType, nalType } from '../rtp/h264.ts';
import { fitH264 } from '../rtp/h264-fit.ts';
import { parseSps, type SpsInfo } from '../rtp/h264-sps.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { timestampDistance } from '../rtp/sequence.ts';
import type { NormalizedPosition } from '../rtp/stream-normalizer.ts';
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

/** A feed's H.264 track: one continuous stream out of successive sources, with its keyframes marked. */
export class VideoTrack implements Disposable {
  readonly parts: TrackParts;
  readonly #options: VideoTrackOptions;
  readonly #order = new ReorderMeter();
  #picture: Picture | null = null;
  /** Timestamp of the frame that is shown last of those counted. */
  #shown: number | null = null;
  #sps: Buffer | null = null;
  #pps: Buffer | null = null;
  #info: SpsInfo | null = null;
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
  get info(): SpsInfo | null {
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
    this.#sps = null;
    this.#pps = null;
  }

  /** Parameter sets that the publisher gave in its SDP. */
  setParameterSets(nals: readonly Buffer[]): void {
    for (const nal of nals) {
      if (nalType(nal) === NalType.SPS) this.#takeSps(nal);
      if (nalType(nal) === NalType.PPS) this.#pps = nal;
    }
  }

  write(packet: RtpPacket, nowMs: number): void {
    if (packet.payload.length === 0) {
      this.#forwardPadding(packet, nowMs);
      return;
    }
    const info = inspectH264(packet.payload);
    if (info.sps !== null) this.#takeSps(info.sps);
    if (info.pps !== null) this.#pps = Buffer.from(info.pps);
    const { normalizer, clock } = this.parts;
    // A new source is admitted with its first keyframe and what decoding that needs: before it nothing can be decoded.
    if (normalizer.startsSource(packet.ssrc, packet.sequence)) {
      const decodable = info.sps !== null || (info.idr && this.#sps !== null && this.#pps !== null);
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
    const fitting = place.newest ? fitH264(packet.payload, MAX_PAYLOAD_BYTES) : [packet.payload];
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

  #followPicture(place: NormalizedPosition, info: H264PayloadInfo, nowMs: number): void {
    let picture = this.#picture;
    if (picture?.timestamp !== place.timestamp) {
      const begun = pictureAt(place);
      if (!place.newest) {
        // Of an earlier picture; a keyframe that is complete only now is one all the same.
        if (info.idr && place.sequence > this.#keyframe) this.#markKeyframe(begun, nowMs);
        return;
      }
      picture = begun;
      this.#picture = picture;
    }
    picture.start = Math.min(picture.start, place.sequence);
    if (info.sps !== null) picture.hasParameters = true;
    if (info.picture && !picture.counted) this.#countFrame(picture, nowMs);
    if (info.idr && !picture.marked) this.#markKeyframe(picture, nowMs);
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
    if (this.#sps === null || this.#pps === null) {
      this.#options.onKeyframeNeeded();
      return;
    }
    picture.marked = true;
    this.#keyframe = picture.start;
    this.#keyframeMs = nowMs;
    const preface = picture.hasParameters ? [] : [buildStapA([this.#sps, this.#pps])];
    this.parts.relay.markKeyframe(picture.start, preface);
    this.#options.onKeyframe();
  }

  #takeSps(nal: Buffer): void {
    if (this.#sps?.equals(nal)) return;
    this.#sps = Buffer.from(nal);
    this.#info = parseSps(this.#sps) ?? this.#info;
  }
}

function pictureAt({ timestamp, sequence }: NormalizedPosition): Picture {
  return { timestamp, start: sequence, counted: false, marked: false, hasParameters: false };
}
