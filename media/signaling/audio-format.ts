/** Sound in descriptions. */
import type { AudioCodec } from '../sfu/audio-codec.ts';

/** A codec and its payload type. */
export interface AudioFormat {
  readonly codec: AudioCodec;
  readonly payloadType: number;
}

/** Payload types that need no rtpmap (RFC 3551, table 4). */
export const staticAudio: Readonly<Record<number, AudioCodec>> = { 0: 'pcmu', 8: 'pcma' };

/** The lines of a media section. */
export function audioLines({ codec, payloadType }: AudioFormat): string[] {
  if (codec !== 'opus') return [`a=rtpmap:${payloadType} ${codec.toUpperCase()}/8000`];
  return [`a=rtpmap:${payloadType} opus/48000/2`, `a=fmtp:${payloadType} minptime=10;useinbandfec=1`];
}
