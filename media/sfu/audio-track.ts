/** A feed's sound. */
import type { TrackRelay } from '../datapath/datapath.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { type AudioCodec, audioClockOf } from './audio-codec.ts';
import { createTrackParts, type TrackParts } from './track.ts';

/** A feed's sound as one continuous stream, out of successive sources. */
export class AudioTrack implements Disposable {
  readonly codec: AudioCodec;
  readonly parts: TrackParts;
  #octets = 0;

  constructor(relay: TrackRelay, codec: AudioCodec) {
    this.codec = codec;
    this.parts = createTrackParts(relay, audioClockOf(codec));
  }

  get octets(): number {
    return this.#octets;
  }

  /** Another publisher sends from now on; nothing about its packets is assumed. */
  beginSource(): void {
    this.parts.normalizer.endSource();
  }

  write(packet: RtpPacket, nowMs: number): void {
    const { normalizer, clock, relay } = this.parts;
    const place = normalizer.place(packet.ssrc, packet.sequence, packet.timestamp, nowMs);
    if (place === null) return;
    if (place.restarted || place.stepped) clock.reset();
    this.#octets += packet.payload.length;
    clock.noteArrival(place.timestamp, nowMs);
    relay.write({
      sequence: place.sequence,
      timestamp: place.timestamp,
      marker: packet.marker,
      payload: packet.payload,
    });
  }

  [Symbol.dispose](): void {
    this.parts.relay[Symbol.dispose]();
  }
}
