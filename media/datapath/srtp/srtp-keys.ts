/** Key derivation of SRTP (RFC 3711, section 4.3; RFC 7714, section 11). */
import { createCipheriv } from 'node:crypto';

/** Protection profiles. */
export type SrtpProfile = 'aead-aes-128-gcm' | 'aes-128-cm-hmac-sha1-80';

/** Master keys of one direction, as DTLS exports them (RFC 5764, section 4.2). */
export interface SrtpMasterKey {
  readonly profile: SrtpProfile;
  /** 16 bytes. */
  readonly key: Buffer;
  /** 12 bytes for GCM, 14 for counter mode. */
  readonly salt: Buffer;
}

/** Session keys of one direction. */
export interface SrtpSessionKeys {
  readonly key: Buffer;
  /** As long as the master salt. */
  readonly salt: Buffer;
  /** 20 bytes; unused by GCM. */
  readonly authentication: Buffer;
}

const labels = {
  rtp: { key: 0, authentication: 1, salt: 2 },
  rtcp: { key: 3, authentication: 4, salt: 5 },
} as const;

/** Derives them. */
export function deriveSessionKeys(master: SrtpMasterKey, stream: 'rtp' | 'rtcp'): SrtpSessionKeys {
  const label = labels[stream];
  return {
    key: derive(master, label.key, 16),
    authentication: derive(master, label.authentication, 20),
    salt: derive(master, label.salt, master.salt.length),
  };
}

function derive(master: SrtpMasterKey, label: number, bytes: number): Buffer {
  const iv = Buffer.alloc(16);
  master.salt.copy(iv);
  iv.writeUInt8(iv.readUInt8(7) ^ label, 7);
  return createCipheriv('aes-128-ctr', master.key, iv).update(Buffer.alloc(bytes));
}
