/** Writes answers: ICE-lite, one bundle, exactly one codec per track. */
import type { DtlsFingerprint, IceCandidate, IceCredentials } from '../datapath/datapath.ts';
import { atOurLevel } from './h264-profile.ts';
import { candidateLines } from './ice-lines.ts';
import type { Negotiated } from './negotiate.ts';
import type { MediaOffer, Offer } from './offer.ts';

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

export type AnswerDirection =
  | { readonly kind: 'receive' }
  | { readonly kind: 'send'; readonly tracks: SentTracks };

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
    'o=rushlight 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    ...(offer.bundled ? [`a=group:BUNDLE ${mids.join(' ')}`] : []),
    'a=ice-lite',
    'a=msid-semantic: WMS *',
  ];
  for (const media of offer.media) {
    if (!accepted.includes(media)) lines.push(...rejected(media));
    else lines.push(...answered(offer, media, negotiated, local, direction, media === first));
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** Audio that nobody sends is answered `inactive` instead of rejected: its m-line keeps the bundle whole. */
function isAccepted(media: MediaOffer, negotiated: Negotiated): boolean {
  if (media === negotiated.video.media || media === negotiated.audio?.media) return true;
  return media.usable && media.kind === 'audio' && media.opusPayloadType !== null;
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
  const payloadType = video ? negotiated.video.format.payloadType : (media.opusPayloadType ?? 0);
  return [
    `m=${media.line.kind} 9 ${media.line.protocol} ${payloadType}`,
    'c=IN IP4 0.0.0.0',
    ...(media.mid === null ? [] : [`a=mid:${media.mid}`]),
    `a=${inactive ? 'inactive' : direction.kind === 'send' ? 'sendonly' : 'recvonly'}`,
    `a=ice-ufrag:${local.ice.ufrag}`,
    `a=ice-pwd:${local.ice.pwd}`,
    `a=fingerprint:${local.fingerprint.algorithm} ${local.fingerprint.value}`,
    `a=setup:${offer.setup === 'passive' ? 'active' : 'passive'}`,
    'a=rtcp-mux',
    ...(video ? videoLines(media, negotiated, direction) : [`a=rtpmap:${payloadType} opus/48000/2`]),
    ...(video ? [] : [`a=fmtp:${payloadType} minptime=10;useinbandfec=1`]),
    ...(direction.kind === 'send' && !inactive ? sourceLines(direction.tracks, video) : []),
    ...(first ? [...candidateLines(local.candidates).map((line) => `a=${line}`), 'a=end-of-candidates'] : []),
  ];
}

function videoLines(media: MediaOffer, negotiated: Negotiated, direction: AnswerDirection): string[] {
  const { payloadType, profileLevelId } = negotiated.video.format;
  const profile = direction.kind === 'receive' ? atOurLevel(profileLevelId) : profileLevelId;
  const ours = ['nack', 'nack pli', 'ccm fir', ...(direction.kind === 'receive' ? ['goog-remb'] : [])];
  const offered = media.feedback.get(payloadType) ?? new Set();
  return [
    `a=rtpmap:${payloadType} H264/90000`,
    `a=fmtp:${payloadType} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profile}`,
    ...ours.filter((kind) => offered.has(kind)).map((kind) => `a=rtcp-fb:${payloadType} ${kind}`),
  ];
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
