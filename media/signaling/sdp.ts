/** Session descriptions as text (RFC 8866), in the parts that WHIP and WHEP use. */
import { SignalingError } from './errors.ts';

const MAX_SDP_CHARACTERS = 64 * 1024;
const MAX_LINES = 2000;
const MAX_MEDIA = 64;
/** RTP has 128 payload types. */
const MAX_FORMATS = 256;

/** An `a=` line. */
export interface SdpAttribute {
  readonly name: string;
  /** Empty if the attribute is only a flag. */
  readonly value: string;
}

/** A media section. */
export interface SdpMedia {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly attributes: readonly SdpAttribute[];
}

/** A description. */
export interface SdpDescription {
  readonly attributes: readonly SdpAttribute[];
  readonly media: readonly SdpMedia[];
}

/** Reads a description. Throws SignalingError SDP_INVALID. */
export function parseSdp(text: string): SdpDescription {
  if (text.length > MAX_SDP_CHARACTERS) throw invalid('the description is too long');
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line !== '');
  if (lines.length > MAX_LINES) throw invalid('the description has too many lines');
  if (lines[0] !== 'v=0') throw invalid('the description does not begin with v=0');
  const attributes: SdpAttribute[] = [];
  const media: (SdpMedia & { attributes: SdpAttribute[] })[] = [];
  for (const line of lines) {
    if (!/^[a-z]=/.test(line)) throw invalid(`not a line of a description: ${line.slice(0, 40)}`);
    if (line.startsWith('m=')) {
      if (media.length >= MAX_MEDIA) throw invalid('the description has too many media');
      media.push(parseMediaLine(line));
    } else if (line.startsWith('a=')) {
      (media.at(-1)?.attributes ?? attributes).push(parseAttribute(line.slice(2)));
    }
  }
  return { attributes, media };
}

/** First value of an attribute; null if there is none. */
export function attributeOf(attributes: readonly SdpAttribute[], name: string): string | null {
  return attributes.find((attribute) => attribute.name === name)?.value ?? null;
}

/** An attribute that may be at the media or, for all of them, at the session. */
export function inheritedAttribute(
  description: SdpDescription,
  media: SdpMedia,
  name: string,
): string | null {
  return attributeOf(media.attributes, name) ?? attributeOf(description.attributes, name);
}

/** All values of an attribute, in order. */
export function valuesOf(attributes: readonly SdpAttribute[], name: string): string[] {
  return attributes.filter((attribute) => attribute.name === name).map((attribute) => attribute.value);
}

/** Reads the text after `a=`. */
function parseAttribute(text: string): SdpAttribute {
  const colon = text.indexOf(':');
  return colon < 0 ? { name: text, value: '' } : { name: text.slice(0, colon), value: text.slice(colon + 1) };
}

function parseMediaLine(line: string): SdpMedia & { attributes: SdpAttribute[] } {
  const match = /^m=([A-Za-z0-9-]+) (\d{1,5})(?:\/\d+)? ([A-Za-z0-9/-]+)((?: [^ ]+)+)$/.exec(line);
  const [, kind, port, protocol, formats] = match ?? [];
  if (kind === undefined || port === undefined || protocol === undefined || formats === undefined) {
    throw invalid(`malformed media line: ${line.slice(0, 60)}`);
  }
  const list = formats.trim().split(' ', MAX_FORMATS + 1);
  if (list.length > MAX_FORMATS) throw invalid('a media line has too many formats');
  return { kind, port: Number(port), protocol, formats: list, attributes: [] };
}

/** The error for a description that cannot be used. */
export function invalid(message: string): SignalingError {
  return new SignalingError('SDP_INVALID', message);
}
