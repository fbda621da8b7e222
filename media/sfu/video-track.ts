/** A feed's H.264 track: one continuous stream out of successive sources, with its keyframes marked. */
import type { TrackRelay } from '../datapath/datapath.ts';
import { buildStapA, type H264PayloadInfo, inspectH264, NalType, nalType } from '../rtp/h264.ts';
import { fitH264 } from '../rtp/h264-fit.ts';
import { parseSps, type SpsInfo } from '../rtp/h264-sps.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { sequenceDistance, timestampDistance } from '../rtp/sequence.ts';
import type { NormalizedPosition } from '../rtp/stream-normalizer.ts';
import { createTrackParts, type TrackParts, VIDEO_CLOCK_HZ } from './track.ts';

/** What fits a 1280-byte packet, the least that every link carries, beside IP, UDP, RTP and SRTP. */
const MAX_PAYLOAD_BYTES = 1224;

/** One frame that goes back in time may be a step of the camera's clock. */
const reorderedFrames = 5;

/** The picture whose packets are arriving. */
interface Picture {
  readonly timestamp: number;
  /** Its first packet. */
  start: number;
  counted: boolean;
  marked: boolean;
  hasParameters: boolean;
}

export interface VideoTrackOptions {
  readonly onKeyframe: () => void;
  /** A new source sends, and its first keyframe is missing. */
  readonly onKeyframeNeeded: () => void;
  readonly onFrame: () => void;
}

export class VideoTrack implements Disposable {
  readonly parts: TrackParts;
  readonly #options: VideoTrackOptions;
  #picture: Picture | null = null;
  #sps: Buffer | null = null;
  #pps: Buffer | null = null;
  #info: SpsInfo | null = null;
  #frames = 0;
  #octets = 0;
  #lastFrameMs: number | null = null;
  #keyframeMs: number | null = null;
  #newest: number | null = null;
  #reordered: { readonly timestamp: number; readonly frames: number } = { timestamp: 0, frames: 0 };

  constructor(relay: TrackRelay, options: VideoTrackOptions) {
    this.parts = createTrackParts(relay, VIDEO_CLOCK_HZ);
    this.#options = options;
  }

  /** Geometry and profile of the newest parameter set; null before the first. */
  get info(): SpsInfo | null {
    return this.#info;
  }

  get frames(): number {
    return this.#frames;
  }

  /**
   * Whether frames come in another order than they are shown in (B-frames): their packets follow each other, their times go back and
   * forth. Browsers show such a stream jumping.
   */
  get reordersFrames(): boolean {
    return this.#reordered.frames >= reorderedFrames;
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
    // A new source is let in with its first keyframe: what comes before it cannot be decoded.
    if (normalizer.startsSource(packet.ssrc, packet.sequence)) {
      if (!info.idr && info.sps === null) {
        this.#options.onKeyframeNeeded();
        return;
      }
      clock.reset();
      this.#picture = null;
      this.#reordered = { timestamp: 0, frames: 0 };
    }
    const place = normalizer.place(packet.ssrc, packet.sequence, packet.timestamp, nowMs);
    if (place === null) return;
    clock.noteArrival(place.timestamp, Date.now());
    this.#forward(packet, place);
    this.#followPicture(place, info, nowMs);
  }

  [Symbol.dispose](): void {
    this.parts.relay[Symbol.dispose]();
  }

  /** Padding goes on as an empty packet: left out, it would look like a loss to the viewers. */
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
    const payloads = fitH264(packet.payload, MAX_PAYLOAD_BYTES);
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
    const ahead = picture === null ? 1 : timestampDistance(picture.timestamp, place.timestamp);
    const inOrder = this.#newest === null || sequenceDistance(this.#newest, place.sequence) > 0;
    if (inOrder) this.#newest = place.sequence;
    if (ahead < 0) {
      if (inOrder && info.picture) this.#noteReordered(place.timestamp, nowMs);
      return;
    }
    if (picture === null || ahead > 0) {
      picture = {
        timestamp: place.timestamp,
        start: place.sequence,
        counted: false,
        marked: false,
        hasParameters: false,
      };
      this.#picture = picture;
    }
    picture.start = Math.min(picture.start, place.sequence);
    if (info.sps !== null) picture.hasParameters = true;
    if (info.picture && !picture.counted) {
      picture.counted = true;
      this.#frames++;
      this.#lastFrameMs = nowMs;
      this.#options.onFrame();
    }
    if (info.idr && !picture.marked) this.#markKeyframe(picture, nowMs);
  }

  /** A frame of its own, though an older one than the one before. */
  #noteReordered(timestamp: number, nowMs: number): void {
    const { timestamp: last, frames } = this.#reordered;
    if (frames > 0 && timestamp === last) return;
    this.#reordered = { timestamp, frames: frames + 1 };
    this.#frames++;
    this.#lastFrameMs = nowMs;
    this.#options.onFrame();
  }

  #markKeyframe(picture: Picture, nowMs: number): void {
    if (this.#sps === null || this.#pps === null) return;
    picture.marked = true;
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
