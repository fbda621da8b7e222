import { createCipheriv, createHmac } from 'node:crypto';
import { RTP_HEADER_BYTES } from '../../rtp/rtp-packet.ts';
import {
  deriveSessionKeys,
  type SrtpMasterKey,
  type SrtpProfile,
  type SrtpSessionKeys,
} from './srtp-keys.ts';

const GCM_TAG_BYTES = 16;
const HMAC_TAG_BYTES = 10;
const ENCRYPTED_FLAG = 0x80000000;

/** Encrypts RTP and RTCP (RFC 3711; RFC 7714 for GCM). */
export class SrtpSender {
  readonly #profile: SrtpProfile;
  readonly #rtp: SrtpSessionKeys;
  readonly #rtcp: SrtpSessionKeys;
  readonly #iv = Buffer.alloc(16);
  #rtcpIndex = 0;

  constructor(master: SrtpMasterKey) {
    this.#profile = master.profile;
    this.#rtp = deriveSessionKeys(master, 'rtp');
    this.#rtcp = deriveSessionKeys(master, 'rtcp');
  }

  /**
   * Encrypts one packet into a new buffer. `header` is the fixed 12-byte header; `rollover` counts the wraps of its
   * sequence number, so that packets sent again long after get the same key stream as before.
   */
  protectRtp(header: Buffer, rollover: number, payload: Buffer): Buffer {
    return this.#profile === 'aead-aes-128-gcm'
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
    if (this.#profile === 'aead-aes-128-gcm') {
      const cipher = createCipheriv(
        'aes-128-gcm',
        this.#rtcp.key,
        gcmIv(this.#iv, this.#rtcp.salt, ssrc, 0, index),
      );
      cipher.setAAD(Buffer.concat([header, trailer]));
      const body = cipher.update(compound.subarray(8));
      cipher.final();
      return Buffer.concat([header, body, cipher.getAuthTag(), trailer]);
    }
    const iv = counterIv(this.#iv, this.#rtcp.salt, ssrc, index >>> 16, index & 0xffff);
    const body = createCipheriv('aes-128-ctr', this.#rtcp.key, iv).update(compound.subarray(8));
    const covered = Buffer.concat([header, body, trailer]);
    const tag = createHmac('sha1', this.#rtcp.authentication).update(covered).digest();
    return Buffer.concat([covered, tag.subarray(0, HMAC_TAG_BYTES)]);
  }

  #gcmRtp(header: Buffer, rollover: number, payload: Buffer): Buffer {
    const iv = gcmIv(
      this.#iv,
      this.#rtp.salt,
      header.readUInt32BE(8),
      rollover,
      header.readUInt16BE(2),
      true,
    );
    const cipher = createCipheriv('aes-128-gcm', this.#rtp.key, iv);
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
    const iv = counterIv(this.#iv, this.#rtp.salt, header.readUInt32BE(8), rollover, header.readUInt16BE(2));
    const body = createCipheriv('aes-128-ctr', this.#rtp.key, iv).update(payload);
    const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + body.length + HMAC_TAG_BYTES);
    header.copy(packet);
    body.copy(packet, RTP_HEADER_BYTES);
    const mac = createHmac('sha1', this.#rtp.authentication);
    mac.update(packet.subarray(0, RTP_HEADER_BYTES + body.length));
    mac.update(rolloverBytes(rollover));
    mac.digest().copy(packet, RTP_HEADER_BYTES + body.length, 0, HMAC_TAG_BYTES);
    return packet;
  }
}

/** Four bytes, big endian. */
export function rolloverBytes(rollover: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(rollover >>> 0);
  return bytes;
}

/**
 * Initialization vector of GCM (RFC 7714, sections 8.1 and 9.1), written into `scratch`. For RTP the last six bytes are
 * the rollover counter and the sequence number, for RTCP two zero bytes and the 31-bit index.
 */
export function gcmIv(
  scratch: Buffer,
  salt: Buffer,
  ssrc: number,
  high: number,
  low: number,
  rtp = false,
): Buffer {
  const iv = scratch.subarray(0, 12);
  iv.fill(0);
  iv.writeUInt32BE(ssrc, 2);
  if (rtp) {
    iv.writeUInt32BE(high >>> 0, 6);
    iv.writeUInt16BE(low, 10);
  } else {
    iv.writeUInt32BE(low, 8);
  }
  for (let i = 0; i < 12; i++) iv[i] = (iv[i] ?? 0) ^ (salt[i] ?? 0);
  return iv;
}

/** Counter-mode vector of a 48-bit packet index (RFC 3711, section 4.1.1), written into `scratch`. */
export function counterIv(scratch: Buffer, salt: Buffer, ssrc: number, high: number, low: number): Buffer {
  const iv = scratch;
  iv.fill(0);
  iv.writeUInt32BE(ssrc, 4);
  iv.writeUInt32BE(high >>> 0, 8);
  iv.writeUInt16BE(low, 12);
  for (let i = 0; i < 14; i++) iv[i] = (iv[i] ?? 0) ^ (salt[i] ?? 0);
  return iv;
}
