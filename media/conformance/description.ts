/** What the checks require of an answer. */
import { attributeOf, parseSdp, type SdpDescription, type SdpMedia, valuesOf } from '../signaling/sdp.ts';

/** A candidate of the other side. */
export interface RemoteCandidate {
  readonly address: string;
  readonly port: number;
}

/** A description as the checks read it. */
export interface ReadDescription {
  readonly text: string;
  readonly sdp: SdpDescription;
  /** Sections that were not turned down. */
  readonly accepted: readonly SdpMedia[];
  readonly ufrag: string;
  readonly pwd: string;
  readonly lite: boolean;
  readonly candidates: readonly RemoteCandidate[];
}

/** Throws SignalingError if it is no description. */
export function readDescription(text: string): ReadDescription {
  const sdp = parseSdp(text);
  const accepted = sdp.media.filter(
    (media) => media.port !== 0 || attributeOf(media.attributes, 'bundle-only') !== null,
  );
  const attribute = (name: string): string =>
    [...accepted.map(({ attributes }) => attributes), sdp.attributes]
      .map((attributes) => attributeOf(attributes, name))
      .find((value) => value !== null) ?? '';
  return {
    text,
    sdp,
    accepted,
    ufrag: attribute('ice-ufrag'),
    pwd: attribute('ice-pwd'),
    lite: attributeOf(sdp.attributes, 'ice-lite') !== null,
    candidates: candidatesIn(text),
  };
}

/** UDP candidates of IPv4, of a description or a fragment. */
export function candidatesIn(text: string): RemoteCandidate[] {
  const found = text.matchAll(/^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ/gim);
  return [...found].map(([, address = '', port]) => ({ address, port: Number(port) }));
}

/** The value of an attribute anywhere in a description or a fragment; null if it is missing. */
export function lineIn(text: string, name: string): string | null {
  return (
    new RegExp(`^a=${name}(?::(.*))?$`, 'm').exec(text.replaceAll('\r', ''))?.slice(1)[0] ??
    (text.includes(`a=${name}`) ? '' : null)
  );
}

/** Direction of a media section. */
export function directionOf(media: SdpMedia): string {
  const known = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
  return media.attributes.find(({ name }) => known.includes(name))?.name ?? 'sendrecv';
}

/** Name of a media section for people. */
export const nameOf = (media: SdpMedia): string =>
  `${media.kind} (mid ${attributeOf(media.attributes, 'mid') ?? 'missing'})`;

export { attributeOf, valuesOf };
