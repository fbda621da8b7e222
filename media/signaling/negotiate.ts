/** Decides, from an offer alone, what a session carries (RFC 9725 section 4.2, the WHEP draft section 4.2). */
import { type AudioCodec, audioCodecs } from '../sfu/audio-codec.ts';
import type { PublisherSections } from '../sfu/publisher-sections.ts';
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
  /** One of each codec, the preferred one first. A publisher has one; a viewer several, if the feed has no sound yet. */
  readonly formats: readonly [AudioFormat, ...AudioFormat[]];
}

/** What a session carries. */
export interface Negotiated {
  readonly video: NegotiatedVideo;
  /** Null if one side has no audio. */
  readonly audio: NegotiatedAudio | null;
  /** Of the picture's retransmissions; null if the peer has none. */
  readonly repairPayloadType: number | null;
}

/** What a publisher may send. Throws SignalingError TRACKS_UNSUPPORTED or CODEC_UNSUPPORTED. */
export function negotiatePublisher(offer: Offer): Negotiated {
  const { videos, audios } = tracksOf(offer, ['sendonly', 'sendrecv']);
  // Media that a publisher sends and no one gets would mislead its owner (RFC 9725, section 4.4.2).
  if (videos.length > 1) throw unsupportedTracks(`one video track is taken, ${videos.length} were offered`);
  if (audios.length > 1)
    throw unsupportedTracks(`at most one audio track is taken, ${audios.length} were offered`);
  const [[video], [audio = null]] = [videos, audios];
  const format = choosePublisherFormat(video.h264);
  if (format === null) throw unsupportedCodec(video);
  const repairPayloadType = video.repairs.get(format.payloadType) ?? null;
  return { video: { media: video, format }, audio: firstOf(audioOf(audio)), repairPayloadType };
}

/** What a viewer gets of a feed: of several sections of a kind, the first that fits; the others are rejected. Throws SignalingError TRACKS_UNSUPPORTED or CODEC_UNSUPPORTED. */
export function negotiateViewer(
  offer: Offer,
  feed: { profileLevelId: string; audioCodec: AudioCodec | null },
): Negotiated {
  const { videos, audios } = tracksOf(offer, ['recvonly', 'sendrecv']);
  const fitting = videos.find((media) => chooseViewerFormat(media.h264, feed.profileLevelId) !== null);
  const video = fitting ?? videos[0];
  const format = chooseViewerFormat(video.h264, feed.profileLevelId);
  if (format === null) throw unsupportedCodec(video);
  const sound = audios.map(audioOf).find((agreed) => agreed !== null) ?? null;
  const now = sound?.formats.find(({ codec }) => codec === feed.audioCodec);
  // Sound that comes later, or in another codec, reaches a viewer only if it was agreed at the beginning.
  const agreed = sound === null || now === undefined ? sound : { ...sound, formats: [now] as const };
  const repairPayloadType = video.repairs.get(format.payloadType) ?? null;
  return { video: { media: video, format }, audio: agreed, repairPayloadType };
}

/** The sound that the peer and we have, in our order. */
function audioOf(media: MediaOffer | null): NegotiatedAudio | null {
  const [first, ...others] = audioCodecs.flatMap(
    (wanted) => media?.audio.find(({ codec }) => codec === wanted) ?? [],
  );
  return media === null || first === undefined ? null : { media, formats: [first, ...others] };
}

function firstOf(audio: NegotiatedAudio | null): NegotiatedAudio | null {
  return audio === null ? null : { ...audio, formats: [audio.formats[0]] };
}

/** How a publisher's packets may name their section: where all of its sections have one number for it (RFC 9143, section 9.1). */
export function sectionsOf({ video, audio }: Negotiated): PublisherSections | null {
  const { mid: videoMid, midExtension } = video.media;
  const audioMid = audio?.media.mid ?? null;
  if (midExtension === null || videoMid === null) return null;
  if (audio !== null && (audioMid === null || audio.media.midExtension !== midExtension)) return null;
  return { midExtension, videoMid, audioMid };
}

/** What a publisher would send and no one gets, in words. */
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
): { videos: readonly [MediaOffer, ...MediaOffer[]]; audios: readonly MediaOffer[] } {
  // Sections that the peer switched off, or that share no transport with the others, are turned down one by one.
  const wanted = offer.media.filter((media) => media.usable && directions.includes(media.direction));
  const [video, ...others] = wanted.filter((media) => media.kind === 'video');
  if (video === undefined) throw unsupportedTracks('one video track is needed, 0 were offered');
  return { videos: [video, ...others], audios: wanted.filter((media) => media.kind === 'audio') };
}

function unsupportedTracks(message: string): SignalingError {
  return new SignalingError('TRACKS_UNSUPPORTED', message);
}

function unsupportedCodec(video: MediaOffer): SignalingError {
  if (video.h264.length > 0)
    return new SignalingError(
      'CODEC_UNSUPPORTED',
      'H.264 is passed on in packetization mode 1 (profiles baseline, main and high), which was not offered',
    );
  const sent = video.codecs.length === 0 ? 'no codec that is named' : video.codecs.slice(0, 6).join(', ');
  const isSent = video.direction !== 'recvonly';
  if (isSent && video.codecs.every((codec) => /^h265$/i.test(codec)) && video.codecs.length > 0)
    return new SignalingError(
      'CODEC_UNSUPPORTED',
      'this camera sends H.265, which cannot be passed on; set it to H.264',
    );
  return new SignalingError('CODEC_UNSUPPORTED', `H.264 is required, but the offer has ${sent}`);
}
