import { z } from 'zod';

/**
 * take.json. Times are ISO 8601 in UTC with microseconds, sizes are bytes, hashes are lower-case hex. Paths are relative
 * to the folder of the take.
 */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** `2026-11-22T12:00:00.123456Z`: capture times, to the microsecond. */
const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3,6})?Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)), 'is no date');
/**
 * What comes from a disk was written by whoever had it, and some of it becomes part of a path or of a command: names and words
 * are held to what they can be.
 */
const takeId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
const cameraName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/);
const fileName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}\/\d{4,9}\.[a-z0-9.-]{1,40}$/);
const pixelFormats = z.string().regex(/^[a-z0-9]{1,20}(\|[a-z0-9]{1,20}){0,15}$/);
const timecode = z.string().regex(/^\d\d:\d\d:\d\d[:;]\d\d$/);
const words = z.string().max(2000);

/** What is known about whether a master is right, and how. */
export const verificationSchema = z.object({
  ok: z.boolean(),
  at: instant,
  /** `bit-exact`: every frame decodes to the samples received. `decodes`: a lossy codec, every frame is there and decodes. */
  proof: z.enum(['bit-exact', 'decodes']),
  /** What is wrong; empty where nothing is. */
  problems: z.array(words).max(20),
});

/** What the clock of the camera's sensor says about the frames of a segment. */
export const sensorTimesSchema = z.object({
  /** Who told: rpicam-vid, by `--save-pts`. */
  source: z.literal('save-pts'),
  /** One time per frame of the master, in milliseconds since the first; mkvmerge's "timecode format v2". */
  file: fileName,
  /** Frames whose time was told; the others are dated by their arrival. */
  frames: z.int().min(0),
  first: instant,
  last: instant,
  /** Longest time between two frames that were kept. */
  largestGapMs: z.number().min(0),
  /** Frames of `droppedFrames` that the camera never delivered; the others were lost on their way into the master. */
  skippedFrames: z.int().min(0),
});

export const segmentSchema = z.object({
  number: z.int().min(1).max(999_999_999),
  /** `recording`: grows. `spooled`: raw, awaits compression. `closed`: its master is complete. */
  state: z.enum(['recording', 'spooled', 'closed']),
  file: fileName,
  /** Raw frames that are not yet compressed; null where there are none (any more). */
  spool: fileName.nullable(),
  bytes: z.int().min(0),
  frames: z.int().min(0),
  /** Missing within the segment: by the sensor's clock where that told, else by the frames' timestamps. */
  droppedFrames: z.int().min(0),
  /** Missing between the previous segment and this one. */
  droppedBefore: z.int().min(0),
  firstTimestamp: instant.nullable(),
  lastTimestamp: instant.nullable(),
  /** Null where the source tells none, and in takes of releases that did not ask for them. */
  sensorTimes: sensorTimesSchema.nullable().default(null),
  /** Wall clock of the first frame, `HH:MM:SS:FF`, UTC. */
  timecode: timecode.nullable(),
  sha256: sha256.nullable(),
  framemd5: z.object({ file: fileName, sha256: sha256.nullable() }),
  /** False where the recorder did not end by itself: the end may lack what was not yet on disk. */
  clean: z.boolean(),
  verified: verificationSchema.nullable(),
  /** When the master was last read again and was still the one that was verified; null before. */
  checkedAt: instant.nullable().default(null),
});

/** A file that may hold pictures, of which not one can be read: put aside, and kept for somebody who can. */
export const unreadableSchema = z.object({
  /** Of the segment that it was. */
  number: z.int().min(1).max(999_999_999),
  file: fileName,
  bytes: z.int().min(0),
  /** Frames that were received into it; null where nothing tells any more. */
  frames: z.int().min(0).nullable(),
  at: instant,
});

/** The machine's clock was set while a camera was recorded. */
export const clockStepSchema = z.object({
  /** By the clock after the step. */
  at: instant,
  /** By how much; negative where it was set back. */
  seconds: z.number(),
  /** The segment that was recorded or awaited then. */
  segment: z.int().min(1).max(999_999_999),
  /** Whether that had frames already: the step lies within it, else before it. */
  within: z.boolean(),
});

export const recordStateSchema = z.enum(['starting', 'recording', 'finishing', 'verified', 'failed']);

export const cameraRecordSchema = z.object({
  state: recordStateSchema,
  /** Why it failed, or what it waits for. */
  reason: words.nullable(),
  codec: z.enum(['ffv1', 'prores']),
  strategy: z.enum(['direct', 'spool']),
  strategyReason: words,
  source: z.object({
    codec: z.enum(['rawvideo', 'mjpeg', 'h264']),
    pixelFormat: pixelFormats,
    range: z.enum(['full', 'limited']),
    fps: z.number().positive().max(1000),
    width: z.int().min(0).max(32_768),
    height: z.int().min(0).max(32_768),
    clock: z.enum(['epoch', 'stream']),
  }),
  threads: z.int().min(1).max(64),
  frames: z.int().min(0),
  /** Within and between segments. Stated also when 0. */
  droppedFrames: z.int().min(0),
  segments: z.array(segmentSchema).max(100_000),
  unreadable: z.array(unreadableSchema).max(100_000).default([]),
  clockSteps: z.array(clockStepSchema).max(1000).default([]),
});

export const takeManifestSchema = z.object({
  version: z.literal(1),
  id: takeId,
  startedAt: instant,
  stoppedAt: instant.nullable(),
  /** Whether the take is still wanted: a supervisor that restarts goes on with it. */
  wanted: z.boolean(),
  state: recordStateSchema,
  cameras: z.record(cameraName, cameraRecordSchema),
});

export type Verification = z.infer<typeof verificationSchema>;
export type SensorTimes = z.infer<typeof sensorTimesSchema>;
export type Segment = z.infer<typeof segmentSchema>;
export type Unreadable = z.infer<typeof unreadableSchema>;
export type ClockStep = z.infer<typeof clockStepSchema>;
export type RecordState = z.infer<typeof recordStateSchema>;
export type CameraRecord = z.infer<typeof cameraRecordSchema>;
export type TakeManifest = z.infer<typeof takeManifestSchema>;

/**
 * The state of a take, from those of its cameras: the liveliest of what is not final, then the worst of what is. A take that
 * no camera began, and that nobody wants any more, failed. Pure.
 */
export function takeState(states: readonly RecordState[], wanted: boolean): RecordState {
  for (const state of ['recording', 'starting', 'finishing', 'failed'] as const) {
    if (states.includes(state)) return state;
  }
  if (states.length > 0) return 'verified';
  return wanted ? 'starting' : 'failed';
}

/**
 * Recomputes the sums a record states about its segments. Frames in files that cannot be read are dropped ones: those before a
 * segment are part of what is missing before it. Pure.
 */
export function withTotals(record: CameraRecord): CameraRecord {
  const sum = (pick: (segment: Segment) => number) =>
    record.segments.reduce((total, segment) => total + pick(segment), 0);
  const last = Math.max(0, ...record.segments.map(({ number }) => number));
  const lost = record.unreadable.filter(({ number }) => number > last);
  return {
    ...record,
    frames: sum((segment) => segment.frames),
    droppedFrames:
      sum((segment) => segment.droppedFrames + segment.droppedBefore) +
      lost.reduce((total, { frames }) => total + (frames ?? 0), 0),
  };
}
