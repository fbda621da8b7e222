/** A certificate's SHA-256 as it is kept and announced here, 64 lower-case hex digits. Takes it with colons and capitals, too. */
export function plainFingerprint(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}
