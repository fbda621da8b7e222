import { createHash } from 'node:crypto';

/** What both sides of an adoption know after the nonces have been exchanged. */
export interface AdoptionTranscript {
  /** SHA-256 of the certificate as each side sees it: the hub its own, the camera the one it was shown. Null without TLS. */
  readonly fingerprint: string | null;
  readonly cameraId: string;
  readonly cameraNonce: string;
  readonly hubNonce: string;
}

/**
 * The six digits both sides show. They differ if someone in between shows the camera another certificate; because the camera
 * commits to its nonce first, guessing succeeds once in a million tries, and each try needs the owner's tap.
 */
export function adoptionCode({ fingerprint, cameraId, cameraNonce, hubNonce }: AdoptionTranscript): string {
  const hash = createHash('sha256');
  for (const part of ['rushlight-adoption-1', fingerprint ?? '', cameraId, cameraNonce, hubNonce]) {
    hash.update(`${Buffer.byteLength(part)}:`).update(part);
  }
  return String(hash.digest().readUInt32BE(0) % 1_000_000).padStart(6, '0');
}

/** What a camera sends before its nonce: SHA-256 of it, in hex. */
export function commitmentOf(nonce: string): string {
  return createHash('sha256').update(nonce).digest('hex');
}
