/** Decides, from an offer alone, what a session carries (RFC 9725 section 4.2, the WHEP draft section 4.2). */
import { type AudioCodec, audioCodecs } from '../sfu/audio-codec.ts';
import type { PublisherSections } from '../sfu/publisher-sections.ts';
import type { AudioFormat } from './audio-format.ts';
import { SignalingError } from './errors.ts';
import { choosePublisherFormat, chooseViewerFormat, type H264Format } from './h264-profile.ts';
import { choosePublisherH265, chooseViewerH265, type H265Format } from './h265-profile.ts';
import type { MediaOffer, Offer } from './offer.ts';

/** The picture's format. */
export type NegotiatedVideo = { readonly media: MediaOffer } & (
  | { readonly codec: 'h264'; readonly format: H264Format }
  | { readonly codec: 'h265'; readonly format: H265Format }
);

/** The properties of a feed's picture that matter to a player. */
export type SentPicture =
  | { readonly codec: 'h264'; readonly profileLevelId: string }
  | { readonly codec: 'h265'; readonly profileId: number };

/** A feed whose parameter sets are not known yet. */
const usualPicture: SentPicture = { codec: 'h264', profileLevelId: '42e01f' };

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
  const taken = takenVideo(video);
  if (taken === null) throw unsupportedPublisher(video);
  const repairPayloadType = video.repairs.get(taken.format.payloadType) ?? null;
  return { video: taken, audio: firstOf(audioOf(audio)), repairPayloadType };
}

/** What a viewer gets of a feed: of several sections of a kind, the first that fits; the others are rejected. Throws SignalingError TRACKS_UNSUPPORTED or CODEC_UNSUPPORTED. */
export function negotiateViewer(
  offer: Offer,
  feed: { readonly video: SentPicture | null; readonly audioCodec: AudioCodec | null },
): Negotiated {
  const { videos, audios } = tracksOf(offer, ['recvonly', 'sendrecv']);
  const picture = feed.video ?? usualPicture;
  const [video = null] = videos.flatMap((media) => playable(media, picture) ?? []);
  if (video === null) throw unsupportedViewer(videos[0], picture);
  const sound = audios.map(audioOf).find((agreed) => agreed !== null) ?? null;
  const now = sound?.formats.find(({ codec }) => codec === feed.audioCodec);
  // Sound that comes later, or in another codec, reaches a viewer only if it was agreed at the beginning.
  const agreed = sound === null || now === undefined ? sound : { ...sound, formats: [now] as const };
  const repairPayloadType = video.media.repairs.get(video.format.payloadType) ?? null;
  return { video, audio: agreed, repairPayloadType };
}

/** H.264 goes first, because every browser plays it. */
function takenVideo(media: MediaOffer): NegotiatedVideo | null {
  const h264 = choosePublisherFormat(media.h264);
  if (h264 !== null) return { media, codec: 'h264', format: h264 };
  const h265 = choosePublisherH265(media.h265);
  return h265 === null ? null : { media, codec: 'h265', format: h265 };
}

function playable(media: MediaOffer, picture: SentPicture): NegotiatedVideo | null {
  if (picture.codec === 'h265') {
    const format = chooseViewerH265(media.h265, picture.profileId);
    return format === null ? null : { media, codec: 'h265', format };
  }
  const format = chooseViewerFormat(media.h264, picture.profileLevelId);
  return format === null ? null : { media, codec: 'h264', format };
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

/** How a publisher's packets may name their section: if all of its sections use the same number for it (RFC 9143, section 9.1). */
export function sectionsOf({ video, audio }: Negotiated): PublisherSections | null {
  const { mid: videoMid, midExtension } = video.media;
  const audioMid = audio?.media.mid ?? null;
  if (midExtension === null || videoMid === null) return null;
  if (audio !== null && (audioMid === null || audio.media.midExtension !== midExtension)) return null;
  return { midExtension, videoMid, audioMid };
}

/** The header extension with which a publisher numbers its packets, if it takes transport-wide feedback; null if not. */
export function transportExtensionOf({ video }: Negotiated): number | null {
  const { feedback, transportExtension } = video.media;
  return feedback.get(video.format.payloadType)?.has('transport-cc') === true ? transportExtension : null;
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
  if (video === undefined)
    throw unsupportedTracks(`one video track is needed, and ${whyNone(offer, directions)}`);
  return { videos: [video, ...others], audios: wanted.filter((media) => media.kind === 'audio') };
}

/** Why no video track can be used, in words. */
function whyNone({ media }: Offer, [way = '']: readonly string[]): string {
  const videos = media.filter(({ kind }) => kind === 'video');
  if (videos.length === 0) return 'none was offered';
  const astray = videos.find(({ usable }) => usable);
  if (astray === undefined) return 'what was offered is switched off (port 0), or on a transport of its own';
  return `what was offered is ${astray.direction} instead of ${way}`;
}

function unsupportedTracks(message: string): SignalingError {
  return new SignalingError('TRACKS_UNSUPPORTED', message);
}

const unfitH264 =
  'H.264 is passed on in packetization mode 1 (profiles baseline, main and high), which was not offered';

function unsupportedPublisher(video: MediaOffer): SignalingError {
  if (video.h264.length > 0) return unsupportedCodec(unfitH264);
  if (video.h265.length > 0)
    return unsupportedCodec('H.265 is passed on in one stream (tx-mode SRST), which was not offered');
  return unsupportedCodec(`H.264 or H.265 is required, but the offer has ${namesOf(video)}`);
}

function unsupportedViewer(video: MediaOffer, picture: SentPicture): SignalingError {
  if (picture.codec === 'h265')
    return unsupportedCodec(
      video.h265.length > 0
        ? 'this camera sends H.265 in a profile that this browser cannot play; watch its JPEG pictures, or set the camera to H.264'
        : 'this camera sends H.265, which this browser cannot play; watch its JPEG pictures, or set the camera to H.264',
    );
  if (video.h264.length > 0) return unsupportedCodec(unfitH264);
  return unsupportedCodec(`H.264 is required, but the offer has ${namesOf(video)}`);
}

function namesOf({ codecs }: MediaOffer): string {
  return codecs.length === 0 ? 'no codec that is named' : codecs.slice(0, 6).join(', ');
}

function unsupportedCodec(message: string): SignalingError {
  return new SignalingError('CODEC_UNSUPPORTED', message);
}
