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
 * Another machine may have written the content of a disk, and some of it becomes part of a path or of a command: names and words
 * are restricted to what they can be.
 */
const takeId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
const cameraName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/);
const fileName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}\/\d{4,9}\.[a-z0-9.-]{1,40}$/);
const pixelFormats = z.string().regex(/^[a-z0-9]{1,20}(\|[a-z0-9]{1,20}){0,15}$/);
const timecode = z.string().regex(/^\d\d:\d\d:\d\d[:;]\d\d$/);
const words = z.string().max(2000);

/** What is known about whether a master is right, and how. */
const verificationSchema = z.object({
  ok: z.boolean(),
  at: instant,
  /** `bit-exact`: every frame decodes to the samples received. `decodes`: a lossy codec, every frame is there and decodes. */
  proof: z.enum(['bit-exact', 'decodes']),
  /** What is wrong; empty if nothing is. */
  problems: z.array(words).max(20),
});

/** What the clock of the camera's sensor says about the frames of a segment. */
const sensorTimesSchema = z.object({
  /** Where the times come from: rpicam-vid's `--save-pts`. */
  source: z.literal('save-pts'),
  /** One time per frame of the master, in milliseconds since the first; mkvmerge's "timecode format v2". */
  file: fileName,
  /** Frames with a time from the sensor; the others are dated by their arrival. */
  frames: z.int().min(0),
  first: instant,
  last: instant,
  /** Longest time between two frames that were kept. */
  largestGapMs: z.number().min(0),
  /** Frames of `droppedFrames` that the camera never delivered; the others were lost on their way into the master. */
  skippedFrames: z.int().min(0),
});

/** One segment of a camera's master. */
const segmentSchema = z.object({
  number: z.int().min(1).max(999_999_999),
  /** `recording`: grows. `spooled`: raw, waits for compression. `closed`: its master is complete. */
  state: z.enum(['recording', 'spooled', 'closed']),
  file: fileName,
  /** Raw frames that are not compressed yet; null if there are none (any more). */
  spool: fileName.nullable(),
  bytes: z.int().min(0),
  frames: z.int().min(0),
  /** Missing within the segment: by the sensor's clock if it is known, otherwise by the frames' timestamps. */
  droppedFrames: z.int().min(0),
  /** Missing between the previous segment and this one. */
  droppedBefore: z.int().min(0),
  firstTimestamp: instant.nullable(),
  lastTimestamp: instant.nullable(),
  /** Null if the source has none, and in takes of releases that did not record them. */
  sensorTimes: sensorTimesSchema.nullable().default(null),
  /** Wall clock of the first frame, `HH:MM:SS:FF`, UTC. */
  timecode: timecode.nullable(),
  sha256: sha256.nullable(),
  framemd5: z.object({ file: fileName, sha256: sha256.nullable() }),
  /** False if the recorder did not end by itself: the end may lack what was not yet on disk. */
  clean: z.boolean(),
  verified: verificationSchema.nullable(),
  /** When the master was last read again and was unchanged; null before. */
  checkedAt: instant.nullable().default(null),
});

/** A file that may contain pictures, none of which can be read: moved aside, and kept. */
const unreadableSchema = z.object({
  /** Of the segment that it was. */
  number: z.int().min(1).max(999_999_999),
  file: fileName,
  bytes: z.int().min(0),
  /** Frames that were received into it; null if unknown. */
  frames: z.int().min(0).nullable(),
  at: instant,
});

/** The machine's clock was set while a camera was recorded. */
const clockStepSchema = z.object({
  /** By the clock after the step. */
  at: instant,
  /** By how much; negative if it was set back. */
  seconds: z.number(),
  /** The segment that was recorded or awaited then. */
  segment: z.int().min(1).max(999_999_999),
  /** Whether that had frames already: the step is within it, otherwise before it. */
  within: z.boolean(),
});

/** State of a camera's part of a take. */
const recordStateSchema = z.enum(['starting', 'recording', 'finishing', 'verified', 'failed']);

/** What is known of a segment without looking into its files. */
export const unknownSegment = {
  bytes: 0,
  frames: 0,
  spool: null,
  droppedFrames: 0,
  droppedBefore: 0,
  firstTimestamp: null,
  lastTimestamp: null,
  timecode: null,
  sensorTimes: null,
  sha256: null,
  clean: false,
  verified: null,
  checkedAt: null,
} as const;

/** A camera's part of a take. */
const cameraRecordSchema = z.object({
  state: recordStateSchema,
  /** Why it failed, or what it waits for. */
  reason: words.nullable(),
  codec: z.enum(['ffv1', 'prores']),
  strategy: z.enum(['direct', 'spool']),
  strategyReason: words,
  source: z.object({
    codec: z.enum(['rawvideo', 'mjpeg', 'h264', 'hevc']),
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

/** The content of take.json. */
export const takeManifestSchema = z.object({
  version: z.literal(1),
  id: takeId,
  startedAt: instant,
  stoppedAt: instant.nullable(),
  /** Whether the take should continue: a supervisor that restarts continues it. */
  wanted: z.boolean(),
  state: recordStateSchema,
  cameras: z.record(cameraName, cameraRecordSchema),
});

/** See {@link verificationSchema}. */
export type Verification = z.infer<typeof verificationSchema>;
/** See {@link sensorTimesSchema}. */
export type SensorTimes = z.infer<typeof sensorTimesSchema>;
/** See {@link segmentSchema}. */
export type Segment = z.infer<typeof segmentSchema>;
/** See {@link unreadableSchema}. */
export type Unreadable = z.infer<typeof unreadableSchema>;
/** See {@link clockStepSchema}. */
export type ClockStep = z.infer<typeof clockStepSchema>;
/** See {@link recordStateSchema}. */
export type RecordState = z.infer<typeof recordStateSchema>;
/** See {@link cameraRecordSchema}. */
export type CameraRecord = z.infer<typeof cameraRecordSchema>;
/** See {@link takeManifestSchema}. */
export type TakeManifest = z.infer<typeof takeManifestSchema>;

/**
 * The state of a take, from those of its cameras: the liveliest of the unfinished ones, then the worst of the finished ones. A
 * take that no camera began, and that should not continue, failed. Pure.
 */
export function takeState(states: readonly RecordState[], wanted: boolean): RecordState {
  for (const state of ['recording', 'starting', 'finishing', 'failed'] as const) {
    if (states.includes(state)) return state;
  }
  if (states.length > 0) return 'verified';
  return wanted ? 'starting' : 'failed';
}

/**
 * Recomputes the sums of a record over its segments. Frames in files that cannot be read are dropped ones: those before a
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
