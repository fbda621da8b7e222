/** What matters of an offer or answer to the SFU, with the quirks of real clients smoothed out. */
import type { DtlsFingerprint, IceCandidate, IceCredentials } from '../datapath/datapath.ts';
import type { H264Format } from './h264-profile.ts';
import { areIceCredentials, parseCandidate, parseFingerprint } from './ice-lines.ts';
import {
  attributeOf,
  inheritedAttribute,
  invalid,
  parseSdp,
  type SdpDescription,
  type SdpMedia,
  valuesOf,
} from './sdp.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface MediaOffer {
  readonly kind: 'video' | 'audio' | 'other';
  /** The media line as it came, for rejecting it in the same words. */
  readonly line: { readonly kind: string; readonly protocol: string; readonly formats: readonly string[] };
  /** Any token: GStreamer's are words, old clients have none. */
  readonly mid: string | null;
  readonly direction: Direction;
  /** False where the peer itself rejected it or it is outside the bundle. */
  readonly usable: boolean;
  readonly h264: readonly H264Format[];
  readonly opusPayloadType: number | null;
  /** Feedback of a payload type, such as `nack pli`. */
  readonly feedback: ReadonlyMap<number, ReadonlySet<string>>;
  /** Parameter sets given out of band (sprop-parameter-sets), whole NAL units. */
  readonly parameterSets: readonly Buffer[];
}

export interface Offer {
  readonly ice: IceCredentials;
  readonly candidates: readonly IceCandidate[];
  readonly fingerprints: readonly DtlsFingerprint[];
  readonly setup: 'actpass' | 'active' | 'passive';
  readonly bundled: boolean;
  readonly media: readonly MediaOffer[];
}

/** Reads an offer or answer. Throws SignalingError SDP_INVALID. */
export function parseOffer(text: string): Offer {
  const sdp = parseSdp(text);
  const bundle = bundleOf(sdp);
  const active = sdp.media.filter((media) => media.port !== 0);
  const first = active.find((media) => attributeOf(media.attributes, 'mid') === bundle?.[0]) ?? active[0];
  if (first === undefined) throw invalid('the description has no media');
  if (attributeOf(sdp.attributes, 'ice-lite') !== null)
    throw invalid('an ICE-lite peer cannot reach an ICE-lite server');
  return {
    ice: iceOf(sdp, first),
    candidates: sdp.media.flatMap((media) =>
      valuesOf(media.attributes, 'candidate').flatMap((value) => parseCandidate(value) ?? []),
    ),
    fingerprints: fingerprintsOf(sdp, first),
    setup: setupOf(sdp, first),
    bundled: bundle !== null,
    media: sdp.media.map((media) => mediaOf(sdp, media, bundle, media === first)),
  };
}

/** Like parseOffer, for an answer: there the peer may be ICE-lite. */
export function parseAnswer(text: string): Offer {
  return parseOffer(text.replace(/^a=ice-lite\r?\n/m, ''));
}

function bundleOf(sdp: SdpDescription): string[] | null {
  const group = valuesOf(sdp.attributes, 'group').find((value) => value.startsWith('BUNDLE '));
  return group === undefined ? null : group.split(' ').slice(1);
}

function iceOf(sdp: SdpDescription, media: SdpMedia): IceCredentials {
  const ice = {
    ufrag: inheritedAttribute(sdp, media, 'ice-ufrag') ?? '',
    pwd: inheritedAttribute(sdp, media, 'ice-pwd') ?? '',
  };
  if (!areIceCredentials(ice)) throw invalid('ICE credentials are missing or malformed');
  return ice;
}

function fingerprintsOf(sdp: SdpDescription, media: SdpMedia): DtlsFingerprint[] {
  const values = [...valuesOf(media.attributes, 'fingerprint'), ...valuesOf(sdp.attributes, 'fingerprint')];
  const fingerprints = values.flatMap((value) => parseFingerprint(value) ?? []);
  if (fingerprints.length === 0) throw invalid('the DTLS fingerprint is missing or of an unknown kind');
  return fingerprints;
}

function setupOf(sdp: SdpDescription, media: SdpMedia): Offer['setup'] {
  const setup = inheritedAttribute(sdp, media, 'setup') ?? 'actpass';
  if (setup !== 'actpass' && setup !== 'active' && setup !== 'passive')
    throw invalid(`unusable setup: ${setup}`);
  return setup;
}

function mediaOf(sdp: SdpDescription, media: SdpMedia, bundle: string[] | null, first: boolean): MediaOffer {
  const mid = attributeOf(media.attributes, 'mid');
  const overRtp = /^UDP\/TLS\/RTP\/SAVPF?$/.test(media.protocol);
  const kind = media.kind === 'video' || media.kind === 'audio' ? media.kind : 'other';
  const muxed = attributeOf(media.attributes, 'rtcp-mux') !== null;
  if (overRtp && first && !muxed) throw invalid('rtcp-mux is needed');
  const bundleOnly = attributeOf(media.attributes, 'bundle-only') !== null;
  const inBundle = bundle === null ? first : mid !== null && bundle.includes(mid);
  const formats = codecsOf(media);
  return {
    kind,
    line: { kind: media.kind, protocol: media.protocol, formats: media.formats },
    mid,
    direction: directionOf(sdp, media),
    usable: kind !== 'other' && overRtp && inBundle && (media.port !== 0 || bundleOnly),
    ...formats,
  };
}

function directionOf(sdp: SdpDescription, media: SdpMedia): Direction {
  for (const attributes of [media.attributes, sdp.attributes]) {
    for (const { name } of attributes) {
      if (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive')
        return name;
    }
  }
  return 'sendrecv';
}

function codecsOf(
  media: SdpMedia,
): Pick<MediaOffer, 'h264' | 'opusPayloadType' | 'feedback' | 'parameterSets'> {
  const h264: H264Format[] = [];
  const parameterSets: Buffer[] = [];
  let opusPayloadType: number | null = null;
  for (const value of valuesOf(media.attributes, 'rtpmap')) {
    const match = /^(\d{1,3}) ([A-Za-z0-9-]+)\/(\d+)/.exec(value);
    const payloadType = Number(match?.[1]);
    const codec = match?.[2]?.toLowerCase();
    if (!media.formats.includes(String(payloadType)) || payloadType > 127) continue;
    if (codec === 'opus') opusPayloadType ??= payloadType;
    if (codec !== 'h264' || match?.[3] !== '90000') continue;
    const parameters = formatParameters(media, payloadType);
    h264.push({
      payloadType,
      profileLevelId: parseProfile(parameters.get('profile-level-id')),
      packetizationMode: Number(parameters.get('packetization-mode') ?? 0),
    });
    for (const set of (parameters.get('sprop-parameter-sets') ?? '').split(',').slice(0, 8)) {
      const nal = Buffer.from(set, 'base64');
      if (nal.length > 3) parameterSets.push(nal);
    }
  }
  return { h264, opusPayloadType, feedback: feedbackOf(media), parameterSets };
}

function parseProfile(value: string | undefined): string {
  const id = value?.toLowerCase() ?? '';
  return /^[0-9a-f]{6}$/.test(id) ? id : '42000a';
}

/** The `a=fmtp` parameters of a payload type, names in lower case. */
function formatParameters(media: SdpMedia, payloadType: number): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const value of valuesOf(media.attributes, 'fmtp')) {
    const space = value.indexOf(' ');
    if (value.slice(0, space) !== String(payloadType)) continue;
    for (const part of value.slice(space + 1).split(';')) {
      const equals = part.indexOf('=');
      if (equals > 0)
        parameters.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
    }
  }
  return parameters;
}

function feedbackOf(media: SdpMedia): Map<number, Set<string>> {
  const feedback = new Map<number, Set<string>>();
  const general = new Set<string>();
  for (const value of valuesOf(media.attributes, 'rtcp-fb')) {
    const match = /^(\*|\d{1,3}) (.+)$/.exec(value);
    const kind = match?.[2]?.trim();
    if (kind === undefined) continue;
    if (match?.[1] === '*') general.add(kind);
    else feedback.set(Number(match?.[1]), (feedback.get(Number(match?.[1])) ?? new Set()).add(kind));
  }
  for (const format of media.formats) {
    const kinds = feedback.get(Number(format)) ?? new Set();
    for (const kind of general) kinds.add(kind);
    feedback.set(Number(format), kinds);
  }
  return feedback;
}
