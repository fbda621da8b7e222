/** What matters of an offer or answer to the SFU, with the quirks of real clients smoothed out. */
import type { DtlsFingerprint, IceCandidate, IceCredentials } from '../datapath/datapath.ts';
import { TRANSPORT_NUMBERS } from '../rtp/transport-feedback.ts';
import {
  areIceCredentials,
  type NamedCandidate,
  parseCandidate,
  parseFingerprint,
  parseNamedCandidate,
} from './ice-lines.ts';
import { formatsOf, type MediaFormats } from './media-formats.ts';
import {
  attributeOf,
  inheritedAttribute,
  invalid,
  parseSdp,
  type SdpDescription,
  type SdpMedia,
  valuesOf,
} from './sdp.ts';

/** Direction of a media section. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** One media section. */
export interface MediaOffer extends MediaFormats {
  readonly kind: 'video' | 'audio' | 'other';
  /** The media line as it came, for rejecting it in the same words. */
  readonly line: { readonly kind: string; readonly protocol: string; readonly formats: readonly string[] };
  /** Any token: GStreamer's are words, old clients have none. */
  readonly mid: string | null;
  readonly direction: Direction;
  /** False if the peer itself rejected it or it is outside the bundle. */
  readonly usable: boolean;
  /** Layers that the peer would send at once (RFC 8853), in its order. */
  readonly layers: readonly string[];
  /** Number of the header extension that names a packet's section (RFC 9143). */
  readonly midExtension: number | null;
  /** Numbers of the header extensions that name a packet's layer, and that of a repair (RFC 8852). */
  readonly ridExtension: number | null;
  readonly repairedRidExtension: number | null;
  /** Number of the header extension that numbers all packets of the connection. */
  readonly transportExtension: number | null;
  /** Feedback may come alone, without a report (RFC 5506). */
  readonly reducedSize: boolean;
  /** It would learn its round trip although it only receives (RFC 3611, section 5.1). */
  readonly receiverRoundTrip: boolean;
}

/** An offer or an answer. */
export interface Offer {
  readonly ice: IceCredentials;
  readonly candidates: readonly IceCandidate[];
  readonly namedCandidates: readonly NamedCandidate[];
  readonly fingerprints: readonly DtlsFingerprint[];
  readonly setup: 'actpass' | 'active' | 'passive';
  readonly bundled: boolean;
  /** The section whose ICE and DTLS the session uses: the first of the bundle, or the picture if there is none. */
  readonly transportMid: string | null;
  readonly media: readonly MediaOffer[];
}

/** Reads an offer or answer. Throws SignalingError SDP_INVALID. */
export function parseOffer(text: string): Offer {
  const sdp = parseSdp(text);
  const bundle = bundleOf(sdp);
  const active = sdp.media.filter((media) => media.port !== 0);
  const first =
    bundle === null
      ? (active.find(({ kind }) => kind === 'video') ?? active[0])
      : (active.find((media) => attributeOf(media.attributes, 'mid') === bundle[0]) ?? active[0]);
  if (first === undefined) throw invalid('the description has no media');
  if (attributeOf(sdp.attributes, 'ice-lite') !== null)
    throw invalid('an ICE-lite peer cannot reach an ICE-lite server');
  return {
    ice: iceOf(sdp, first),
    candidates: sdp.media.flatMap((media) =>
      valuesOf(media.attributes, 'candidate').flatMap((value) => parseCandidate(value) ?? []),
    ),
    namedCandidates: sdp.media
      .flatMap((media) =>
        valuesOf(media.attributes, 'candidate').flatMap((value) => parseNamedCandidate(value) ?? []),
      )
      .slice(0, 4),
    fingerprints: fingerprintsOf(sdp, first),
    setup: setupOf(sdp, first),
    bundled: bundle !== null,
    transportMid: attributeOf(first.attributes, 'mid'),
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
  const muxed = ['rtcp-mux', 'rtcp-mux-only'].some((name) => attributeOf(media.attributes, name) !== null);
  if (overRtp && first && !muxed) throw invalid('rtcp-mux is needed');
  const bundleOnly = attributeOf(media.attributes, 'bundle-only') !== null;
  const inBundle = bundle === null ? first : mid !== null && bundle.includes(mid);
  return {
    kind,
    line: { kind: media.kind, protocol: media.protocol, formats: media.formats },
    mid,
    direction: directionOf(sdp, media),
    usable: kind !== 'other' && overRtp && inBundle && (media.port !== 0 || bundleOnly),
    layers: layersOf(media),
    midExtension: extensionOf(media, `${extensions}mid`),
    ridExtension: extensionOf(media, `${extensions}rtp-stream-id`),
    repairedRidExtension: extensionOf(media, `${extensions}repaired-rtp-stream-id`),
    transportExtension: extensionOf(media, TRANSPORT_NUMBERS),
    reducedSize: attributeOf(media.attributes, 'rtcp-rsize') !== null,
    receiverRoundTrip: /(^| )rcvr-rtt=/.test(inheritedAttribute(sdp, media, 'rtcp-xr') ?? ''),
    ...formatsOf(media),
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

const extensions = 'urn:ietf:params:rtp-hdrext:sdes:';

function extensionOf(media: SdpMedia, uri: string): number | null {
  for (const value of valuesOf(media.attributes, 'extmap')) {
    const [number = '', named] = value.split(' ', 2);
    const id = Number.parseInt(number, 10);
    if (named === uri && id >= 1 && id <= 255) return id;
  }
  return null;
}

/** Layers of `a=simulcast:send`, the first of alternatives, without those that are paused (`~`). */
function layersOf(media: SdpMedia): string[] {
  const simulcast = attributeOf(media.attributes, 'simulcast');
  const list = / ?\bsend ([^ ]{1,200})/.exec(simulcast ?? '')?.[1] ?? '';
  const rids = new Set(valuesOf(media.attributes, 'rid').map((value) => value.split(' ', 1)[0]));
  return list
    .split(';')
    .map((alternatives) => alternatives.split(',', 1)[0] ?? '')
    .filter((rid) => /^[A-Za-z0-9_-]{1,32}$/.test(rid) && rids.has(rid));
}
