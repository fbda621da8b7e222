/** NTP timestamps as RTCP sender reports carry them (RFC 3550, section 4): seconds since 1900 and 1/2³² s. */

const EPOCH_OFFSET_S = 2_208_988_800;
const FRACTION = 2 ** 32;

/** Seconds since 1900, and a fraction in 1/2³² s. */
export interface NtpTime {
  readonly seconds: number;
  readonly fraction: number;
}

/** NTP time of Unix milliseconds. */
export function ntpOfUnixMs(unixMs: number): NtpTime {
  const seconds = Math.floor(unixMs / 1000);
  return {
    seconds: (seconds + EPOCH_OFFSET_S) >>> 0,
    fraction: Math.floor(((unixMs - seconds * 1000) / 1000) * FRACTION) >>> 0,
  };
}

/** Unix milliseconds of an NTP time. */
export function unixMsOfNtp(ntp: NtpTime): number {
  return (ntp.seconds - EPOCH_OFFSET_S) * 1000 + (ntp.fraction / FRACTION) * 1000;
}

/** The middle 32 bits, with which receiver reports name the sender report they answer. */
export function middleOfNtp(ntp: NtpTime): number {
  return (((ntp.seconds & 0xffff) << 16) | (ntp.fraction >>> 16)) >>> 0;
}
