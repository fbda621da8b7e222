/** Which of a peer's H.264 formats fits a stream (RFC 6184, section 8). */

/** An H.264 format of an offer. */
export interface H264Format {
  readonly payloadType: number;
  /** Six hex digits, lower case; the default of RFC 6184 (baseline, level 1) if the offer names none. */
  readonly profileLevelId: string;
  /** Null if the offer names none. */
  readonly packetizationMode: number | null;
}

type Profile = 'constrained-baseline' | 'baseline' | 'main' | 'constrained-high' | 'high' | 'other';

/** What a decoder of the key's profile can decode besides that profile itself. */
const decodes: Readonly<Record<Profile, readonly Profile[]>> = {
  'constrained-baseline': [],
  baseline: ['constrained-baseline'],
  main: ['constrained-baseline'],
  'constrained-high': ['constrained-baseline'],
  high: ['constrained-baseline', 'main', 'constrained-high'],
  other: [],
};

/** The profile of a profile-level-id. */
export function profileOf(profileLevelId: string): Profile {
  const idc = Number.parseInt(profileLevelId.slice(0, 2), 16);
  const constraints = Number.parseInt(profileLevelId.slice(2, 4), 16);
  if (idc === 66) return constraints & 0x40 ? 'constrained-baseline' : 'baseline';
  if (idc === 77) return constraints & 0x80 ? 'constrained-baseline' : 'main';
  if (idc === 100) return (constraints & 0x0c) === 0x0c ? 'constrained-high' : 'high';
  return 'other';
}

/**
 * The format that carries a stream of this profile best: the same profile, or one whose decoders include it, or the first,
 * because decoders accept more than browsers admit. Null if none is fit for packetization mode 1.
 */
export function chooseViewerFormat(
  formats: readonly H264Format[],
  profileLevelId: string,
): H264Format | null {
  const usable = inModeOne(formats);
  const profile = profileOf(profileLevelId);
  return (
    usable.find((format) => profileOf(format.profileLevelId) === profile) ??
    usable.find((format) => decodes[profileOf(format.profileLevelId)].includes(profile)) ??
    usable[0] ??
    null
  );
}

/** The format that a publisher should send: its own first choice of those we accept. */
export function choosePublisherFormat(formats: readonly H264Format[]): H264Format | null {
  return inModeOne(formats).find((format) => profileOf(format.profileLevelId) !== 'other') ?? null;
}

/**
 * Formats for packetization mode 1, in which all of our packets are. Some clients (GStreamer) name no mode at all, and accept
 * mode 1 anyway; if one format names it, those without are meant to be mode 0.
 */
export function inModeOne(formats: readonly H264Format[]): readonly H264Format[] {
  const named = formats.filter(({ packetizationMode }) => packetizationMode === 1);
  return named.length > 0 ? named : formats.filter(({ packetizationMode }) => packetizationMode === null);
}

/** The same profile at level 5.1: what we accept, whatever level the publisher named (level asymmetry). */
export function atOurLevel(profileLevelId: string): string {
  return `${profileLevelId.slice(0, 4)}33`;
}
