import { createCipheriv, createHmac } from 'node:crypto';
import { RTP_HEADER_BYTES } from '../../rtp/rtp-packet.ts';
import {
  counterIv,
  GCM_TAG_BYTES,
  gcmIv,
  HMAC_TAG_BYTES,
  rolloverBytes,
  SrtpContext,
} from './srtp-context.ts';
import type { SrtpMasterKey } from './srtp-keys.ts';

const ENCRYPTED_FLAG = 0x80000000;

/** Encrypts RTP and RTCP (RFC 3711; RFC 7714 for GCM). */
export class SrtpSender {
  readonly #context: SrtpContext;
  #rtcpIndex = 0;

  constructor(master: SrtpMasterKey) {
    this.#context = new SrtpContext(master);
  }

  /**
   * Encrypts one packet into a new buffer. `header` is the fixed 12-byte header; `rollover` counts the wraps of its
   * sequence number, so that packets sent again long after get the same key stream as before.
   */
  protectRtp(header: Buffer, rollover: number, payload: Buffer): Buffer {
    return this.#context.profile === 'aead-aes-128-gcm'
      ? this.#gcmRtp(header, rollover, payload)
      : this.#counterRtp(header, rollover, payload);
  }

  protectRtcp(compound: Buffer): Buffer {
    const index = this.#rtcpIndex;
    this.#rtcpIndex = (index + 1) & 0x7fffffff;
    const trailer = Buffer.alloc(4);
    trailer.writeUInt32BE((index | ENCRYPTED_FLAG) >>> 0);
    const header = compound.subarray(0, 8);
    const ssrc = compound.readUInt32BE(4);
    if (this.#context.profile === 'aead-aes-128-gcm') {
      const cipher = createCipheriv(
        'aes-128-gcm',
        this.#context.rtcp.key,
        gcmIv(this.#context.iv, this.#context.rtcp.salt, ssrc, 0, index),
      );
      cipher.setAAD(Buffer.concat([header, trailer]));
      const body = cipher.update(compound.subarray(8));
      cipher.final();
      return Buffer.concat([header, body, cipher.getAuthTag(), trailer]);
    }
    const iv = counterIv(this.#context.iv, this.#context.rtcp.salt, ssrc, index >>> 16, index & 0xffff);
    const body = createCipheriv('aes-128-ctr', this.#context.rtcp.key, iv).update(compound.subarray(8));
    const covered = Buffer.concat([header, body, trailer]);
    const tag = createHmac('sha1', this.#context.rtcp.authentication).update(covered).digest();
    return Buffer.concat([covered, tag.subarray(0, HMAC_TAG_BYTES)]);
  }

  #gcmRtp(header: Buffer, rollover: number, payload: Buffer): Buffer {
    const iv = gcmIv(
      this.#context.iv,
      this.#context.rtp.salt,
      header.readUInt32BE(8),
      rollover,
      header.readUInt16BE(2),
      true,
    );
    const cipher = createCipheriv('aes-128-gcm', this.#context.rtp.key, iv);
    cipher.setAAD(header);
    const body = cipher.update(payload);
    cipher.final();
    const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + body.length + GCM_TAG_BYTES);
    header.copy(packet);
    body.copy(packet, RTP_HEADER_BYTES);
    cipher.getAuthTag().copy(packet, RTP_HEADER_BYTES + body.length);
    return packet;
  }

  #counterRtp(header: Buffer, rollover: number, payload: Buffer): Buffer {
    const iv = counterIv(
      this.#context.iv,
      this.#context.rtp.salt,
      header.readUInt32BE(8),
      rollover,
      header.readUInt16BE(2),
    );
    const body = createCipheriv('aes-128-ctr', this.#context.rtp.key, iv).update(payload);
    const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + body.length + HMAC_TAG_BYTES);
    header.copy(packet);
    body.copy(packet, RTP_HEADER_BYTES);
    const mac = createHmac('sha1', this.#context.rtp.authentication);
    mac.update(packet.subarray(0, RTP_HEADER_BYTES + body.length));
    mac.update(rolloverBytes(rollover));
    mac.digest().copy(packet, RTP_HEADER_BYTES + body.length, 0, HMAC_TAG_BYTES);
    return packet;
  }
}
