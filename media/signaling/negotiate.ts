/** Decides, from an offer alone, what a session carries (RFC 9725 section 4.2, the WHEP draft section 4.2). */
import { type AudioCodec, audioCodecs } from '../sfu/audio-codec.ts';
import type { AudioFormat } from './audio-format.ts';
import { SignalingError } from './errors.ts';
import { choosePublisherFormat, chooseViewerFormat, type H264Format } from './h264-profile.ts';
import type { MediaOffer, Offer } from './offer.ts';

/** The picture's format. */
export interface NegotiatedVideo {
  readonly media: MediaOffer;
  readonly format: H264Format;
}

/** The sound's format. */
export interface NegotiatedAudio {
  readonly media: MediaOffer;
  readonly format: AudioFormat;
}

/** What a session carries. */
export interface Negotiated {
  readonly video: NegotiatedVideo;
  /** Null where one side has no audio. */
  readonly audio: NegotiatedAudio | null;
  /** Of the picture's retransmissions; null where the peer has none. */
  readonly repairPayloadType: number | null;
}

/** What a publisher may send. Throws SignalingError TRACKS_UNSUPPORTED or CODEC_UNSUPPORTED. */
export function negotiatePublisher(offer: Offer): Negotiated {
  const { video, audio } = tracksOf(offer, ['sendonly', 'sendrecv']);
  const format = choosePublisherFormat(video.h264);
  if (format === null) throw unsupportedCodec(video);
  const repairPayloadType = video.repairs.get(format.payloadType) ?? null;
  return { video: { media: video, format }, audio: audioOf(audio, audioCodecs), repairPayloadType };
}

/** What a viewer gets of a feed. Throws SignalingError TRACKS_UNSUPPORTED or CODEC_UNSUPPORTED. */
export function negotiateViewer(
  offer: Offer,
  feed: { profileLevelId: string; audioCodec: AudioCodec | null },
): Negotiated {
  const { video, audio } = tracksOf(offer, ['recvonly', 'sendrecv']);
  const format = chooseViewerFormat(video.h264, feed.profileLevelId);
  if (format === null) throw unsupportedCodec(video);
  const codecs = feed.audioCodec === null ? [] : [feed.audioCodec];
  return { video: { media: video, format }, audio: audioOf(audio, codecs), repairPayloadType: null };
}

/** The first of `codecs` that the peer has. */
function audioOf(media: MediaOffer | null, codecs: readonly AudioCodec[]): NegotiatedAudio | null {
  for (const wanted of codecs) {
    const format = media?.audio.find(({ codec }) => codec === wanted);
    if (media !== null && format !== undefined) return { media, format };
  }
  return null;
}

/** What a publisher would send and nobody gets, in words. */
export function lostSound(offer: Offer, audio: NegotiatedAudio | null): string[] {
  const isSound = ({ kind, direction }: MediaOffer): boolean =>
    kind === 'audio' && (direction === 'sendonly' || direction === 'sendrecv');
  const sound = offer.media.find(isSound);
  if (audio !== null || sound === undefined) return [];
  if (!sound.usable)
    return ['Its sound is not passed on: picture and sound have to share one connection (BUNDLE).'];
  const codec = sound.codecs.slice(0, 3).join(', ') || 'a codec without a name';
  return [`Its sound is not passed on: it is ${codec}. Set the encoder to Opus or G.711.`];
}

function tracksOf(
  offer: Offer,
  directions: readonly string[],
): { video: MediaOffer; audio: MediaOffer | null } {
  // Sections that the peer switched off, or that share no transport with the others, are turned down one by one.
  const wanted = offer.media.filter((media) => media.usable && directions.includes(media.direction));
  const videos = wanted.filter((media) => media.kind === 'video');
  const audios = wanted.filter((media) => media.kind === 'audio');
  const [video] = videos;
  if (videos.length !== 1 || video === undefined) {
    throw new SignalingError(
      'TRACKS_UNSUPPORTED',
      `one video track is needed, ${videos.length} were offered`,
    );
  }
  if (audios.length > 1) {
    throw new SignalingError(
      'TRACKS_UNSUPPORTED',
      `at most one audio track is taken, ${audios.length} were offered`,
    );
  }
  return { video, audio: audios[0] ?? null };
}

function unsupportedCodec(video: MediaOffer): SignalingError {
  if (video.h264.length > 0)
    return new SignalingError(
      'CODEC_UNSUPPORTED',
      'H.264 is passed on in packetization mode 1 (profiles baseline, main and high), which was not offered',
    );
  const sent = video.codecs.length === 0 ? 'no codec that is named' : video.codecs.slice(0, 6).join(', ');
  const change = video.codecs.some((codec) => /^h265$/i.test(codec)) ? '; set the encoder to H.264' : '';
  return new SignalingError('CODEC_UNSUPPORTED', `H.264 is required, but the offer has ${sent}${change}`);
}
