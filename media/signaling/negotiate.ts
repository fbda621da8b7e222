/** Decides, from an offer alone, what a session carries (RFC 9725 section 4.2, the WHEP draft section 4.2). */
import { SignalingError } from './errors.ts';
import { choosePublisherFormat, chooseViewerFormat, type H264Format } from './h264-profile.ts';
import type { MediaOffer, Offer } from './offer.ts';

export interface NegotiatedVideo {
  readonly media: MediaOffer;
  readonly format: H264Format;
}

export interface NegotiatedAudio {
  readonly media: MediaOffer;
  readonly payloadType: number;
}

export interface Negotiated {
  readonly video: NegotiatedVideo;
  /** Null where one side has no audio. */
  readonly audio: NegotiatedAudio | null;
}

/** What a publisher may send. Throws SignalingError TRACKS_UNSUPPORTED or CODEC_UNSUPPORTED. */
export function negotiatePublisher(offer: Offer): Negotiated {
  const { video, audio } = tracksOf(offer, ['sendonly', 'sendrecv']);
  const format = choosePublisherFormat(video.h264);
  if (format === null) throw unsupportedCodec();
  return { video: { media: video, format }, audio: audioOf(audio) };
}

/** What a viewer gets of a feed. Throws SignalingError TRACKS_UNSUPPORTED or CODEC_UNSUPPORTED. */
export function negotiateViewer(
  offer: Offer,
  feed: { profileLevelId: string; hasAudio: boolean },
): Negotiated {
  const { video, audio } = tracksOf(offer, ['recvonly', 'sendrecv']);
  const format = chooseViewerFormat(video.h264, feed.profileLevelId);
  if (format === null) throw unsupportedCodec();
  return { video: { media: video, format }, audio: feed.hasAudio ? audioOf(audio) : null };
}

function audioOf(media: MediaOffer | null): NegotiatedAudio | null {
  if (media === null || media.opusPayloadType === null) return null;
  return { media, payloadType: media.opusPayloadType };
}

function tracksOf(
  offer: Offer,
  directions: readonly string[],
): { video: MediaOffer; audio: MediaOffer | null } {
  const wanted = offer.media.filter((media) => directions.includes(media.direction));
  const videos = wanted.filter((media) => media.kind === 'video');
  const audios = wanted.filter((media) => media.kind === 'audio');
  const video = videos.find((media) => media.usable);
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
  return { video, audio: audios.find((media) => media.usable) ?? null };
}

function unsupportedCodec(): SignalingError {
  return new SignalingError(
    'CODEC_UNSUPPORTED',
    'H.264 with packetization-mode=1 is needed and was not offered',
  );
}
