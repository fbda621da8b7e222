/** What a media section can carry: its payload types, their meaning, and the feedback each of them knows. */
import type { VideoCodec } from '../rtp/video-payload.ts';
import { audioCodecs } from '../sfu/audio-codec.ts';
import { type AudioFormat, staticAudio } from './audio-format.ts';
import type { H264Format } from './h264-profile.ts';
import { type H265Format, h265FormatOf } from './h265-profile.ts';
import { type SdpMedia, valuesOf } from './sdp.ts';

/** What a section can carry. */
export interface MediaFormats {
  readonly h264: readonly H264Format[];
  readonly h265: readonly H265Format[];
  readonly audio: readonly AudioFormat[];
  /** Names of all codecs, as the peer writes them, without repetitions: `H265`, `VP8`. */
  readonly codecs: readonly string[];
  /** The meaning of the first format, as the peer writes it; null if it does not say. */
  readonly firstMap: string | null;
  /** Payload type of the retransmissions of a payload type (RFC 4588). */
  readonly repairs: ReadonlyMap<number, number>;
  /** Feedback of a payload type, such as `nack pli`. */
  readonly feedback: ReadonlyMap<number, ReadonlySet<string>>;
  /** Parameter sets given out of band (sprop-parameter-sets, sprop-vps and the like), whole NAL units. */
  readonly parameterSets: Readonly<Record<VideoCodec, readonly Buffer[]>>;
}

const MAX_PARAMETER_SETS = 8;
/** RTP has 128 payload types; more formats than that are no RTP. */
const MAX_FEEDBACK_KINDS = 32;
const helpers: ReadonlySet<string> = new Set(['rtx', 'red', 'ulpfec', 'flexfec-03', 'telephone-event', 'cn']);

/** Each line is looked at once, whatever a peer sends. */
export function formatsOf(media: SdpMedia): MediaFormats {
  const offered = new Set(media.formats.filter((format) => /^\d{1,3}$/.test(format) && Number(format) < 128));
  const maps = rtpMaps(media, offered);
  const parameters = formatParameters(media, offered);
  const h264: H264Format[] = [];
  const audio: AudioFormat[] = [];
  const h265: H265Format[] = [];
  const parameterSets = { h264: [] as Buffer[], h265: [] as Buffer[] };
  const repairs = new Map<number, number>();
  for (const format of offered) {
    const payloadType = Number(format);
    const map = maps.get(payloadType);
    const given = parameters.get(payloadType) ?? new Map<string, string>();
    const codec = map === undefined ? staticAudio[payloadType] : audioCodecOf(map);
    if (codec !== undefined && media.kind === 'audio') audio.push({ codec, payloadType });
    const apt = Number(given.get('apt') ?? Number.NaN);
    if (map?.name === 'rtx' && Number.isInteger(apt) && !repairs.has(apt)) repairs.set(apt, payloadType);
    if (map?.clock !== 90_000) continue;
    if (map.name === 'h265') {
      h265.push(h265FormatOf(payloadType, given));
      for (const name of ['sprop-vps', 'sprop-sps', 'sprop-pps'])
        addSets(parameterSets.h265, given.get(name));
    }
    if (map.name !== 'h264') continue;
    const mode = given.get('packetization-mode');
    h264.push({
      payloadType,
      profileLevelId: parseProfile(given.get('profile-level-id')),
      packetizationMode: mode === undefined ? null : Number(mode),
    });
    addSets(parameterSets.h264, given.get('sprop-parameter-sets'));
  }
  const names = [...maps.values()].filter(({ name }) => !helpers.has(name)).map(({ written }) => written);
  return {
    ...{ h264, h265, audio, repairs, parameterSets },
    codecs: [...new Set(names)],
    firstMap:
      valuesOf(media.attributes, 'rtpmap').find((value) => value.startsWith(`${media.formats[0]} `)) ?? null,
    feedback: feedbackOf(media, offered),
  };
}

function addSets(sets: Buffer[], value = ''): void {
  for (const set of value.split(',', MAX_PARAMETER_SETS)) {
    const nal = Buffer.from(set, 'base64');
    if (nal.length > 3 && sets.length < MAX_PARAMETER_SETS) sets.push(nal);
  }
}

interface RtpMap {
  /** In lower case. */
  readonly name: string;
  readonly written: string;
  readonly clock: number;
  readonly channels: number;
}

function rtpMaps(media: SdpMedia, offered: ReadonlySet<string>): Map<number, RtpMap> {
  const maps = new Map<number, RtpMap>();
  for (const value of valuesOf(media.attributes, 'rtpmap')) {
    const [, format = '', written = '', clock, channels = '1'] =
      /^(\d{1,3}) ([A-Za-z0-9.-]{1,40})\/(\d{1,9})(?:\/(\d{1,2}))?/.exec(value) ?? [];
    if (!offered.has(format) || maps.has(Number(format))) continue;
    maps.set(Number(format), {
      name: written.toLowerCase(),
      written,
      clock: Number(clock),
      channels: Number(channels),
    });
  }
  return maps;
}

/** Of G.711 there is one channel: what has two is another format, which nobody could tell from its packets. */
function audioCodecOf({ name, clock, channels }: RtpMap): AudioFormat['codec'] | undefined {
  const codec = audioCodecs.find((known) => known === name);
  return codec === 'opus' || (clock === 8000 && channels === 1) ? codec : undefined;
}

/** Encoders of ffmpeg write a digit too many in front if a profile has flags of its own. */
function parseProfile(value: string | undefined): string {
  const id = value?.toLowerCase() ?? '';
  return /^[0-9a-f]{6,7}$/.test(id) ? id.slice(-6) : '42000a';
}

/** The `a=fmtp` parameters of each payload type, names in lower case. */
function formatParameters(media: SdpMedia, offered: ReadonlySet<string>): Map<number, Map<string, string>> {
  const all = new Map<number, Map<string, string>>();
  for (const value of valuesOf(media.attributes, 'fmtp')) {
    const space = value.indexOf(' ');
    const format = value.slice(0, Math.max(0, space));
    if (!offered.has(format)) continue;
    const parameters = all.get(Number(format)) ?? new Map<string, string>();
    all.set(Number(format), parameters);
    for (const part of value.slice(space + 1).split(';')) {
      const equals = part.indexOf('=');
      if (equals > 0)
        parameters.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
    }
  }
  return all;
}

function feedbackOf(media: SdpMedia, offered: ReadonlySet<string>): Map<number, Set<string>> {
  const feedback = new Map([...offered].map((format) => [Number(format), new Set<string>()]));
  const general = new Set<string>();
  for (const value of valuesOf(media.attributes, 'rtcp-fb')) {
    const [, format = '', kind = ''] = /^(\*|\d{1,3}) (.{1,60})$/.exec(value) ?? [];
    const kinds = format === '*' ? general : feedback.get(Number(format));
    if (kinds !== undefined && kinds.size < MAX_FEEDBACK_KINDS) kinds.add(kind.trim());
  }
  for (const kinds of feedback.values()) for (const kind of general) kinds.add(kind);
  return feedback;
}
