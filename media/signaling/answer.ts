/** Writes answers: ICE-lite, one bundle, exactly one codec per track. */
import { randomInt } from 'node:crypto';
import type { DtlsFingerprint, IceCandidate, IceCredentials } from '../datapath/datapath.ts';
import { audioLines } from './audio-format.ts';
import { atOurLevel } from './h264-profile.ts';
import { candidateLines } from './ice-lines.ts';
import type { Negotiated } from './negotiate.ts';
import type { MediaOffer, Offer } from './offer.ts';

/** Our side of a session. */
export interface LocalSide {
  readonly ice: IceCredentials;
  readonly candidates: readonly IceCandidate[];
  readonly fingerprint: DtlsFingerprint;
}

/** What we send to a viewer. */
export interface SentTracks {
  readonly cname: string;
  readonly streamId: string;
  readonly videoSsrc: number;
  readonly audioSsrc: number;
}

/** What an answer is for. */
export type AnswerDirection =
  | { readonly kind: 'receive' }
  | { readonly kind: 'send'; readonly tracks: SentTracks };

/** The text of an answer. */
export function buildAnswer(
  offer: Offer,
  negotiated: Negotiated,
  local: LocalSide,
  direction: AnswerDirection,
): string {
  const accepted = offer.media.filter((media) => isAccepted(media, negotiated));
  const mids = accepted.flatMap((media) => media.mid ?? []);
  const first = accepted[0];
  const lines = [
    'v=0',
    originLine(),
    's=-',
    't=0 0',
    ...(offer.bundled ? [`a=group:BUNDLE ${mids.join(' ')}`] : []),
    'a=ice-lite',
    'a=ice-options:ice2 trickle',
    'a=msid-semantic: WMS *',
  ];
  for (const media of offer.media) {
    if (!accepted.includes(media)) lines.push(...rejected(media));
    else lines.push(...answered(offer, media, negotiated, local, direction, media === first));
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** Every description is a session of its own (RFC 8866, section 5.2; RFC 3264, section 5). */
export function originLine(): string {
  return `o=- ${randomInt(2 ** 47)} 1 IN IP4 0.0.0.0`;
}

/**
 * Sound that nobody sends, or that cannot be carried, is answered `inactive` instead of rejected: its media line keeps the
 * bundle whole, which some clients (GStreamer) give up without its first section.
 */
function isAccepted(media: MediaOffer, negotiated: Negotiated): boolean {
  if (media === negotiated.video.media || media === negotiated.audio?.media) return true;
  return media.usable && media.kind === 'audio' && media.line.formats.length > 0;
}

function rejected(media: MediaOffer): string[] {
  return [
    `m=${media.line.kind} 0 ${media.line.protocol} ${media.line.formats.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    ...(media.mid === null ? [] : [`a=mid:${media.mid}`]),
    'a=inactive',
  ];
}

function answered(
  offer: Offer,
  media: MediaOffer,
  negotiated: Negotiated,
  local: LocalSide,
  direction: AnswerDirection,
  first: boolean,
): string[] {
  const video = media === negotiated.video.media;
  const inactive = !video && media !== negotiated.audio?.media;
  const formats = video ? videoFormats(negotiated, direction) : audioFormats(media, negotiated);
  return [
    `m=${media.line.kind} 9 ${media.line.protocol} ${formats.payloadTypes.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    ...(media.mid === null ? [] : [`a=mid:${media.mid}`]),
    `a=${inactive ? 'inactive' : direction.kind === 'send' ? 'sendonly' : 'recvonly'}`,
    `a=ice-ufrag:${local.ice.ufrag}`,
    `a=ice-pwd:${local.ice.pwd}`,
    `a=fingerprint:${local.fingerprint.algorithm} ${local.fingerprint.value}`,
    `a=setup:${offer.setup === 'passive' ? 'active' : 'passive'}`,
    'a=rtcp-mux',
    ...(media.reducedSize ? ['a=rtcp-rsize'] : []),
    ...formats.lines,
    ...(direction.kind === 'send' && !inactive ? sourceLines(direction.tracks, video) : []),
    ...(first ? [...candidateLines(local.candidates).map((line) => `a=${line}`), 'a=end-of-candidates'] : []),
  ];
}

interface AnsweredFormats {
  readonly payloadTypes: readonly (number | string)[];
  readonly lines: readonly string[];
}

function videoFormats({ video, repairPayloadType }: Negotiated, direction: AnswerDirection): AnsweredFormats {
  const { media, format } = video;
  const { payloadType, profileLevelId } = format;
  const receives = direction.kind === 'receive';
  const profile = receives ? atOurLevel(profileLevelId) : profileLevelId;
  const ours = ['nack', 'nack pli', 'ccm fir', ...(receives ? ['goog-remb'] : [])];
  const offered = media.feedback.get(payloadType) ?? new Set();
  const repair = receives ? repairPayloadType : null;
  const [layer] = receives ? media.layers : [];
  return {
    payloadTypes: [payloadType, ...(repair === null ? [] : [repair])],
    lines: [
      `a=rtpmap:${payloadType} H264/90000`,
      `a=fmtp:${payloadType} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profile}`,
      ...ours.filter((kind) => offered.has(kind)).map((kind) => `a=rtcp-fb:${payloadType} ${kind}`),
      ...(repair === null ? [] : [`a=rtpmap:${repair} rtx/90000`, `a=fmtp:${repair} apt=${payloadType}`]),
      // One layer is taken, the one the publisher names first: with none it would not send at all.
      ...(layer === undefined ? [] : [`a=rid:${layer} recv`, `a=simulcast:recv ${layer}`]),
    ],
  };
}

function audioFormats(media: MediaOffer, { audio }: Negotiated): AnsweredFormats {
  if (media === audio?.media)
    return { payloadTypes: [audio.format.payloadType], lines: audioLines(audio.format) };
  const [first] = media.audio;
  if (first !== undefined) return { payloadTypes: [first.payloadType], lines: audioLines(first) };
  const lines = media.firstMap === null ? [] : [`a=rtpmap:${media.firstMap}`];
  return { payloadTypes: media.line.formats.slice(0, 1), lines };
}

function sourceLines(tracks: SentTracks, video: boolean): string[] {
  const ssrc = video ? tracks.videoSsrc : tracks.audioSsrc;
  const track = video ? 'video' : 'audio';
  return [
    `a=msid:${tracks.streamId} ${track}`,
    `a=ssrc:${ssrc} cname:${tracks.cname}`,
    `a=ssrc:${ssrc} msid:${tracks.streamId} ${track}`,
  ];
}
