/** What a forwarder needs to know about one RTP payload. */
export interface PayloadInfo {
  /** A NAL unit of a coded picture begins or continues here: the packet belongs to a frame. */
  readonly picture: boolean;
  /** A slice of a picture from which decoding can begin begins here. */
  readonly keyframe: boolean;
  /** Parameter sets that are complete in this packet, as views. H.264 has no VPS. */
  readonly vps: Buffer | null;
  readonly sps: Buffer | null;
  readonly pps: Buffer | null;
}
