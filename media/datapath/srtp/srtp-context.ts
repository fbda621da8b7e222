import {
  deriveSessionKeys,
  type SrtpMasterKey,
  type SrtpProfile,
  type SrtpSessionKeys,
} from './srtp-keys.ts';

/** Length of GCM's tag (RFC 7714, section 14.2). */
export const GCM_TAG_BYTES = 16;
/** Length of the shortened HMAC-SHA1 (RFC 3711, section 5.2). */
export const HMAC_TAG_BYTES = 10;

/** What sender and receiver of one direction share: the profile, the session keys, and room for a vector. */
export class SrtpContext {
  readonly profile: SrtpProfile;
  readonly rtp: SrtpSessionKeys;
  readonly rtcp: SrtpSessionKeys;
  /** Scratch for {@link gcmIv} and {@link counterIv}. */
  readonly iv = Buffer.alloc(16);

  constructor(master: SrtpMasterKey) {
    this.profile = master.profile;
    this.rtp = deriveSessionKeys(master, 'rtp');
    this.rtcp = deriveSessionKeys(master, 'rtcp');
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
