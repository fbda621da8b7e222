/** The sound that is passed on: codecs that browsers decode (RFC 7874). */

/** In the order of preference. */
export const audioCodecs = ['opus', 'pcmu', 'pcma'] as const;
/** See {@link audioCodecs}. */
export type AudioCodec = (typeof audioCodecs)[number];

/** RTP clock rate of a codec, in Hz. */
export function audioClockOf(codec: AudioCodec): number {
  return codec === 'opus' ? 48_000 : 8_000;
}
