/** Sound in descriptions. */
import type { AudioCodec } from '../sfu/audio-codec.ts';

/** A codec and its payload type. */
export interface AudioFormat {
  readonly codec: AudioCodec;
  readonly payloadType: number;
}

/** Payload types that need no rtpmap (RFC 3551, table 4). */
export const staticAudio: Readonly<Record<number, AudioCodec>> = { 0: 'pcmu', 8: 'pcma' };

/** The sound in our offers, best first. */
export const offeredAudio: readonly AudioFormat[] = [
  { codec: 'opus', payloadType: 111 },
  { codec: 'pcmu', payloadType: 0 },
  { codec: 'pcma', payloadType: 8 },
];

/** The lines of a media section. */
export function audioLines({ codec, payloadType }: AudioFormat): string[] {
  if (codec !== 'opus') return [`a=rtpmap:${payloadType} ${codec.toUpperCase()}/8000`];
  return [`a=rtpmap:${payloadType} opus/48000/2`, `a=fmtp:${payloadType} minptime=10;useinbandfec=1`];
}
