import { type Board, boards } from './boards.ts';
import { levelLimits, lowestLevel, macroblocksPerFrame } from './h264-level.ts';

/** What is known about the machine, the camera and the link when the live encoder is chosen. */
export interface EncoderFacts {
  /** The camera delivers H.264 itself. */
  readonly cameraSendsH264: boolean;
  /** Why nothing is encoded then, if it is not a camera that sends H.264. */
  readonly copyReason?: string;
  /** The camera delivers JPEG pictures: passing them on costs nothing. */
  readonly cameraSendsJpeg?: boolean;
  /** A V4L2 memory-to-memory H.264 encoder was found (bcm2835-codec: Zero 2 W, 3, 4), by its device node. */
  readonly hardwareEncoder?: string;
  readonly width: number;
  readonly height: number;
  /** Default 30. */
  readonly fps?: number;
  /** The settings' rate, in kbit/s. Default 6000. */
  readonly bitrateKbps?: number;
  /** Default `pc`. */
  readonly board?: Board;
  /** The source's `encoder` setting. Default `auto`. */
  readonly preference?: 'auto' | 'hardware' | 'software' | 'jpeg';
  /** What the link to the hub was measured to carry, in kbit/s. */
  readonly linkKbps?: number;
  /** What libx264 was measured to sustain on this board; without it the board's assumption counts. */
  readonly softwareMacroblocksPerS?: number;
}

/** How the live stream is made. */
export interface EncoderChoice {
  /** `mjpeg`: no video, but pictures one by one (docs/use/jpeg-agent.md). */
  readonly encoder: 'copy' | 'h264_v4l2m2m' | 'libx264' | 'mjpeg';
  /** For people: why this encoder. */
  readonly reason: string;
}

/** The choice with what the board and the link sustain. */
export interface EncoderPlan extends EncoderChoice {
  /** Rate that is sustained; below the wanted one if the board cannot keep up. */
  readonly fps: number;
  /** Null if the camera decides, and for pictures, whose size depends on what they show. */
  readonly bitrateKbps: number | null;
  /** H.264 level that the stream needs; null if the camera decides, or no level is high enough. */
  readonly level: string | null;
  /** What is less than wanted, one sentence each. */
  readonly warnings: readonly string[];
}

/** The bcm2835 encoder block takes pictures up to this size, and ffmpeg leaves it at its default level. */
const hardware = { maxWidth: 1920, maxHeight: 1088, level: '4' } as const;
/** Part of the link that one stream may use: the rest is for retransmissions, audio and other traffic. */
const linkShare = 0.75;
/** Video with fewer frames per second is worse than pictures. */
const leastVideoFps = 10;
/** Pictures a second that any board encodes beside the rest of its work. */
export const picturesFps = 10;

interface Candidate {
  readonly encoder: 'h264_v4l2m2m' | 'libx264';
  readonly reason: string;
  /** Macroblocks per second; null: no limit. */
  readonly limit: number | null;
  readonly limitWords: string;
}

/**
 * Chooses how the live stream becomes H.264: copied, or encoded in hardware, or by libx264; otherwise it goes as pictures.
 * Pure.
 */
export function chooseEncoder(facts: EncoderFacts): EncoderPlan {
  if (facts.cameraSendsH264) return copyPlan(facts);
  const wantedFps = facts.fps ?? 30;
  if (facts.preference === 'jpeg') return picturesPlan(facts, wantedFps, 'The settings ask for pictures.');
  const candidate = chooseCandidate(facts, wantedFps);
  const warnings: string[] = [];
  const fps = sustainedFps(candidate, facts, wantedFps);
  if (fps < Math.min(leastVideoFps, wantedFps) && facts.preference !== 'hardware') {
    const size = `${facts.width}x${facts.height}`;
    return picturesPlan(
      facts,
      wantedFps,
      `No encoder here sustains more than ${fps} fps of video at ${size}.`,
    );
  }
  if (fps < wantedFps) {
    warnings.push(
      `${facts.width}x${facts.height} is sustained at ${fps} of the wanted ${wantedFps} fps: ${candidate.limitWords}.`,
    );
  }
  const bitrateKbps = sustainedKbps(candidate, facts, warnings);
  const level = lowestLevel(facts.width, facts.height, fps, bitrateKbps);
  if (facts.preference === 'hardware' && candidate.encoder !== 'h264_v4l2m2m') {
    warnings.push('The settings ask for hardware, which cannot do it.');
  }
  return { encoder: candidate.encoder, reason: candidate.reason, fps, bitrateKbps, level, warnings };
}

function copyPlan(facts: EncoderFacts): EncoderPlan {
  const ignored = facts.preference !== undefined && facts.preference !== 'auto';
  return {
    encoder: 'copy',
    reason: facts.copyReason ?? 'The camera sends H.264 itself, so it is passed on untouched.',
    fps: facts.fps ?? 30,
    bitrateKbps: null,
    level: null,
    warnings: ignored ? ['The encoder setting has no effect: nothing is encoded.'] : [],
  };
}

function picturesPlan(facts: EncoderFacts, wantedFps: number, why: string): EncoderPlan {
  const copied = facts.cameraSendsJpeg === true;
  const fps = copied ? wantedFps : Math.min(wantedFps, picturesFps);
  const how = copied
    ? "The camera's own JPEG pictures go to the hub as they are."
    : `JPEG pictures go to the hub, ${fps} a second.`;
  const warnings = ['Viewers get pictures instead of video: more data, and no sound.'];
  return { encoder: 'mjpeg', reason: `${why} ${how}`, fps, bitrateKbps: null, level: null, warnings };
}

function chooseCandidate(facts: EncoderFacts, fps: number): Candidate {
  const { hardwareEncoder, width, height } = facts;
  if (hardwareEncoder === undefined) {
    return software(facts, 'This machine has no hardware H.264 encoder, so libx264 encodes for low latency.');
  }
  if (facts.preference === 'software') {
    return software(facts, 'The settings ask for software, so libx264 encodes for low latency.');
  }
  if (width > hardware.maxWidth || height > hardware.maxHeight) {
    const limit = `${hardware.maxWidth}x${hardware.maxHeight}`;
    return software(
      facts,
      `${width}x${height} exceeds the hardware encoder's ${limit}, so libx264 encodes; up to that size the hardware would.`,
    );
  }
  const block: Candidate = {
    encoder: 'h264_v4l2m2m',
    reason: `The hardware encoder at ${hardwareEncoder} takes this size, and leaves the processor to the masters.`,
    limit: levelLimits(hardware.level)?.macroblocksPerS ?? null,
    limitWords: `the hardware encoder works up to level ${hardware.level}`,
  };
  const instead = software(
    facts,
    `The hardware encoder does not reach ${fps} fps at ${width}x${height}, libx264 on this board comes closer.`,
  );
  const better = sustainedFps(instead, facts, fps) > sustainedFps(block, facts, fps);
  return better && facts.preference !== 'hardware' ? instead : block;
}

function software(facts: EncoderFacts, reason: string): Candidate {
  const measured = facts.softwareMacroblocksPerS;
  const assumed = boards[facts.board ?? 'pc'].assumedSoftwareMacroblocksPerS;
  const limitWords =
    measured === undefined
      ? 'libx264 is assumed to reach its limit on this board'
      : 'libx264 was measured to reach its limit on this board';
  return { encoder: 'libx264', reason, limit: measured ?? assumed, limitWords };
}

function sustainedFps({ limit }: Candidate, { width, height }: EncoderFacts, wanted: number): number {
  if (limit === null) return wanted;
  return Math.max(1, Math.min(wanted, Math.floor(limit / macroblocksPerFrame(width, height))));
}

function sustainedKbps({ encoder }: Candidate, facts: EncoderFacts, warnings: string[]): number {
  const wanted = facts.bitrateKbps ?? 6000;
  const link = facts.linkKbps === undefined ? wanted : Math.floor(facts.linkKbps * linkShare);
  const block = encoder === 'h264_v4l2m2m' ? (levelLimits(hardware.level)?.maxKbps ?? wanted) : wanted;
  const kbps = Math.max(100, Math.min(wanted, link, block));
  if (kbps < wanted) {
    const why =
      link <= block
        ? `the link carries ${facts.linkKbps} kbit/s`
        : `the hardware encoder works up to level ${hardware.level}`;
    warnings.push(`${kbps} instead of ${wanted} kbit/s: ${why}.`);
  }
  return kbps;
}
