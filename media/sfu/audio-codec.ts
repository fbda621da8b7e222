/** The sound that is passed on: what browsers decode (RFC 7874). */

/** In the order in which they are preferred. */
export const audioCodecs = ['opus', 'pcmu', 'pcma'] as const;
export type AudioCodec = (typeof audioCodecs)[number];

export function audioClockOf(codec: AudioCodec): number {
  return codec === 'opus' ? 48_000 : 8_000;
}
