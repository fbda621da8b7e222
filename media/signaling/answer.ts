/** Writes answers: ICE-lite, one bundle, exactly one codec per track. */
import { TRANSPORT_NUMBERS } from '../rtp/transport-feedback.ts';
import { audioLines } from './audio-format.ts';
import { atOurLevel } from './h264-profile.ts';
import { h265Parameters } from './h265-profile.ts';
import { ourIceLines } from './ice-lines.ts';
import { headLines, type LocalSide, ourCandidateLines, transportLines } from './local-side.ts';
import { type Negotiated, type NegotiatedVideo, sectionsOf, transportExtensionOf } from './negotiate.ts';
import type { MediaOffer, Offer } from './offer.ts';
import { takenLayers } from './simulcast.ts';

/** What we send to a viewer. */
export interface SentTracks {
  readonly cname: string;
  readonly streamId: string;
  readonly videoSsrc: number;
  readonly audioSsrc: number;
  /** Of the picture's retransmissions, if the viewer takes them. */
  readonly repairSsrc?: number;
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
    ...headLines(),
    ...(offer.bundled ? [`a=group:BUNDLE ${mids.join(' ')}`] : []),
    ...(local.client === true ? ['a=ice-options:ice2'] : ourIceLines),
    'a=msid-semantic: WMS *',
  ];
  for (const media of offer.media) {
    if (!accepted.includes(media)) lines.push(...rejected(media));
    else lines.push(...answered(offer, media, negotiated, local, direction, media === first));
  }
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * Sound that cannot be carried is answered `inactive` instead of rejected: its media line keeps the bundle whole, which some
 * clients (GStreamer) give up without its first section.
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
    ...transportLines(local, setupFor(offer, local)),
    ...(media.reducedSize ? ['a=rtcp-rsize'] : []),
    ...(media.receiverRoundTrip && direction.kind === 'send' ? ['a=rtcp-xr:rcvr-rtt=all'] : []),
    ...formats.lines,
    ...(inactive ? [] : sectionLines(negotiated, direction)),
    ...(direction.kind === 'send' && !inactive ? sourceLines(direction.tracks, video, negotiated) : []),
    ...(first ? ourCandidateLines(local) : []),
  ];
}

function setupFor({ setup }: Offer, { client }: LocalSide): 'active' | 'passive' {
  if (setup === 'actpass') return client === true ? 'active' : 'passive';
  return setup === 'passive' ? 'active' : 'passive';
}

interface AnsweredFormats {
  readonly payloadTypes: readonly (number | string)[];
  readonly lines: readonly string[];
}

function videoFormats(negotiated: Negotiated, direction: AnswerDirection): AnsweredFormats {
  const { video, repairPayloadType } = negotiated;
  const { media } = video;
  const { payloadType } = video.format;
  const receives = direction.kind === 'receive';
  const ours = ['nack', 'nack pli', 'ccm fir', ...(receives ? ['goog-remb', 'transport-cc'] : [])];
  const offered = media.feedback.get(payloadType) ?? new Set();
  const transport = receives ? transportExtensionOf(negotiated) : null;
  const repair = receives || direction.tracks.repairSsrc !== undefined ? repairPayloadType : null;
  const layers = receives ? takenLayers(media) : [];
  return {
    payloadTypes: [payloadType, ...(repair === null ? [] : [repair])],
    lines: [
      `a=rtpmap:${payloadType} ${video.codec.toUpperCase()}/90000`,
      `a=fmtp:${payloadType} ${parametersOf(video, receives)}`,
      ...ours
        .filter((kind) => offered.has(kind) && (kind !== 'transport-cc' || transport !== null))
        .map((kind) => `a=rtcp-fb:${payloadType} ${kind}`),
      ...(repair === null ? [] : [`a=rtpmap:${repair} rtx/90000`, `a=fmtp:${repair} apt=${payloadType}`]),
      ...(transport === null ? [] : [`a=extmap:${transport} ${TRANSPORT_NUMBERS}`]),
      ...layerLines(media, layers),
    ],
  };
}

/** What a viewer gets needs no name: its SSRCs are in the answer, and each packet would be longer. */
function sectionLines(negotiated: Negotiated, direction: AnswerDirection): string[] {
  const sections = direction.kind === 'receive' ? sectionsOf(negotiated) : null;
  return sections === null ? [] : [`a=extmap:${sections.midExtension} urn:ietf:params:rtp-hdrext:sdes:mid`];
}

/** A level of H.265 limits both directions, so the peer's own is agreed to. */
function parametersOf(video: NegotiatedVideo, receives: boolean): string {
  if (video.codec === 'h265') return h265Parameters(video.format);
  const { profileLevelId } = video.format;
  const profile = receives ? atOurLevel(profileLevelId) : profileLevelId;
  return `level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profile}`;
}

/** A publisher that offered layers would send nothing if none were taken. */
function layerLines(media: MediaOffer, layers: readonly string[]): string[] {
  if (layers.length === 0) return [];
  const named = 'urn:ietf:params:rtp-hdrext:sdes:';
  const { ridExtension, repairedRidExtension } = media;
  return [
    ...(layers.length > 1 ? [`a=extmap:${ridExtension} ${named}rtp-stream-id`] : []),
    ...(layers.length > 1 && repairedRidExtension !== null
      ? [`a=extmap:${repairedRidExtension} ${named}repaired-rtp-stream-id`]
      : []),
    ...layers.map((rid) => `a=rid:${rid} recv`),
    `a=simulcast:recv ${layers.join(';')}`,
  ];
}

function audioFormats(media: MediaOffer, { audio }: Negotiated): AnsweredFormats {
  if (media === audio?.media)
    return {
      payloadTypes: audio.formats.map(({ payloadType }) => payloadType),
      lines: audio.formats.flatMap(audioLines),
    };
  const [first] = media.audio;
  if (first !== undefined) return { payloadTypes: [first.payloadType], lines: audioLines(first) };
  const lines = media.firstMap === null ? [] : [`a=rtpmap:${media.firstMap}`];
  return { payloadTypes: media.line.formats.slice(0, 1), lines };
}

function sourceLines(tracks: SentTracks, video: boolean, { repairPayloadType }: Negotiated): string[] {
  const ssrc = video ? tracks.videoSsrc : tracks.audioSsrc;
  const track = `${tracks.streamId} ${video ? 'video' : 'audio'}`;
  const repair = video && repairPayloadType !== null ? tracks.repairSsrc : undefined;
  // Browsers take both for one track if both say so.
  const named = [ssrc, ...(repair === undefined ? [] : [repair])];
  return [
    `a=msid:${track}`,
    ...(repair === undefined ? [] : [`a=ssrc-group:FID ${ssrc} ${repair}`]),
    ...named.flatMap((one) => [`a=ssrc:${one} cname:${tracks.cname}`, `a=ssrc:${one} msid:${track}`]),
  ];
}
