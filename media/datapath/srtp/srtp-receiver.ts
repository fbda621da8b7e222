import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { rtpHeaderBytes } from '../../rtp/rtp-packet.ts';
import {
  counterIv,
  GCM_TAG_BYTES,
  gcmIv,
  HMAC_TAG_BYTES,
  rolloverBytes,
  SrtpContext,
} from './srtp-context.ts';
import type { SrtpMasterKey } from './srtp-keys.ts';
import { IndexGuess, ReplayWindows } from './srtp-streams.ts';

const RTP_WINDOW = 1024;
const RTCP_WINDOW = 128;

/** Decrypts RTP and RTCP and rejects forged or replayed packets (RFC 3711; RFC 7714 for GCM). */
export class SrtpReceiver {
  readonly #context: SrtpContext;
  readonly #rtpWindows = new ReplayWindows(RTP_WINDOW);
  readonly #rtcpWindows = new ReplayWindows(RTCP_WINDOW);
  readonly #guess = new IndexGuess();

  constructor(master: SrtpMasterKey) {
    this.#context = new SrtpContext(master);
  }

  /** The plain packet in a buffer of its own; null if it is malformed, forged or replayed. */
  unprotectRtp(packet: Buffer): Buffer | null {
    const headerBytes = rtpHeaderBytes(packet);
    const tagBytes = this.#context.profile === 'aead-aes-128-gcm' ? GCM_TAG_BYTES : HMAC_TAG_BYTES;
    if (headerBytes === null || packet.length < headerBytes + tagBytes) return null;
    const ssrc = packet.readUInt32BE(8);
    const window = this.#rtpWindows.of(ssrc);
    if (window === null) return null;
    const sequence = packet.readUInt16BE(2);
    for (const index of this.#guess.candidates(sequence, window.highest)) {
      if (!window.admits(index)) continue;
      const plain = this.#open(packet, headerBytes, ssrc, Math.floor(index / 0x10000), sequence);
      if (plain === null) continue;
      window.accept(index);
      this.#rtpWindows.keep(ssrc, window);
      this.#guess.noteSuccess();
      return plain;
    }
    this.#guess.noteFailure();
    return null;
  }

  unprotectRtcp(packet: Buffer): Buffer | null {
    const gcm = this.#context.profile === 'aead-aes-128-gcm';
    const trailerAt = gcm ? packet.length - 4 : packet.length - HMAC_TAG_BYTES - 4;
    if (trailerAt < 8 + (gcm ? GCM_TAG_BYTES : 0)) return null;
    const trailer = packet.readUInt32BE(trailerAt);
    const index = trailer & 0x7fffffff;
    const ssrc = packet.readUInt32BE(4);
    const window = this.#rtcpWindows.of(ssrc);
    if (trailer >>> 31 !== 1 || !window?.admits(index)) return null;
    const plain = gcm
      ? this.#openGcmRtcp(packet, trailerAt, index)
      : this.#openCounterRtcp(packet, trailerAt, index);
    if (plain === null) return null;
    window.accept(index);
    this.#rtcpWindows.keep(ssrc, window);
    return plain;
  }

  #open(
    packet: Buffer,
    headerBytes: number,
    ssrc: number,
    rollover: number,
    sequence: number,
  ): Buffer | null {
    const header = packet.subarray(0, headerBytes);
    if (this.#context.profile === 'aead-aes-128-gcm') {
      const tagAt = packet.length - GCM_TAG_BYTES;
      const iv = gcmIv(this.#context.iv, this.#context.rtp.salt, ssrc, rollover, sequence, true);
      return openGcm(
        this.#context.rtp.key,
        iv,
        header,
        header,
        packet.subarray(headerBytes, tagAt),
        packet.subarray(tagAt),
      );
    }
    const tagAt = packet.length - HMAC_TAG_BYTES;
    const covered = packet.subarray(0, tagAt);
    const mac = createHmac('sha1', this.#context.rtp.authentication)
      .update(covered)
      .update(rolloverBytes(rollover))
      .digest();
    if (!timingSafeEqual(mac.subarray(0, HMAC_TAG_BYTES), packet.subarray(tagAt))) return null;
    const iv = counterIv(this.#context.iv, this.#context.rtp.salt, ssrc, rollover, sequence);
    const body = createDecipheriv('aes-128-ctr', this.#context.rtp.key, iv).update(
      packet.subarray(headerBytes, tagAt),
    );
    return Buffer.concat([header, body]);
  }

  #openGcmRtcp(packet: Buffer, trailerAt: number, index: number): Buffer | null {
    const header = packet.subarray(0, 8);
    const tagAt = trailerAt - GCM_TAG_BYTES;
    const iv = gcmIv(this.#context.iv, this.#context.rtcp.salt, packet.readUInt32BE(4), 0, index);
    const authenticated = Buffer.concat([header, packet.subarray(trailerAt)]);
    return openGcm(
      this.#context.rtcp.key,
      iv,
      authenticated,
      header,
      packet.subarray(8, tagAt),
      packet.subarray(tagAt, trailerAt),
    );
  }

  #openCounterRtcp(packet: Buffer, trailerAt: number, index: number): Buffer | null {
    const tagAt = trailerAt + 4;
    const mac = createHmac('sha1', this.#context.rtcp.authentication)
      .update(packet.subarray(0, tagAt))
      .digest();
    if (!timingSafeEqual(mac.subarray(0, HMAC_TAG_BYTES), packet.subarray(tagAt))) return null;
    const iv = counterIv(
      this.#context.iv,
      this.#context.rtcp.salt,
      packet.readUInt32BE(4),
      index >>> 16,
      index & 0xffff,
    );
    const body = createDecipheriv('aes-128-ctr', this.#context.rtcp.key, iv).update(
      packet.subarray(8, trailerAt),
    );
    return Buffer.concat([packet.subarray(0, 8), body]);
  }
}

/** `header` followed by the decrypted body; null if the tag does not match. */
function openGcm(
  key: Buffer,
  iv: Buffer,
  authenticated: Buffer,
  header: Buffer,
  body: Buffer,
  tag: Buffer,
): Buffer | null {
  const decipher = createDecipheriv('aes-128-gcm', key, iv);
  decipher.setAAD(authenticated);
  decipher.setAuthTag(tag);
  const plain = decipher.update(body);
  try {
    decipher.final();
  } catch {
    // The tag does not match: the packet is forged or damaged. Callers count it.
    return null;
  }
  return Buffer.concat([header, plain]);
}
