import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ensureRawPipe } from '../capture/raw-pipe.ts';
import type { RawStream } from '../capture/types.ts';
import type { ChildHost } from '../child-host.ts';
import { syncFolder } from './atomic-file.ts';
import { childName } from './child-name.ts';
import { freeBytes, requireSpace } from './disk.ts';
import type { CameraRecord, Segment } from './manifest.ts';
import type { MasterCodec, MasterStrategy } from './recorder-command.ts';
import { closeSegment } from './segment-close.ts';
import { finishSegments } from './segment-finish.ts';
import { recordSegment } from './segment-record.ts';
import { noProgress, type SegmentProgress } from './segment-watch.ts';
import { segmentStem, type Take } from './take.ts';

export interface RecorderOptions {
  readonly host: ChildHost;
  readonly logger: Logger;
  /** Source id; the name of the folder of its masters. */
  readonly camera: string;
  /** Named pipe of the capture pipeline. */
  readonly pipe: string;
  readonly raw: RawStream;
  readonly codec: MasterCodec;
  readonly strategy: MasterStrategy;
  readonly strategyReason: string;
  readonly threads: number;
  /** Recording does not begin, and ends cleanly, where no more than this is free. */
  readonly reserveBytes: number;
  /** Free bytes at a path. Default: what the file system says. */
  readonly freeBytes?: (path: string) => Promise<number>;
  /** Called on every look at the growing files, about twice a second. */
  readonly onProgress?: (progress: SegmentProgress) => void;
  /** Called when every segment is closed; compressing and verifying follow. */
  readonly onRecorded?: () => void;
}

/** Pause before the next attempt where a recorder ended without a frame. */
const retryMs = 250;
const retryMaxMs = 2000;

/**
 * Records one camera of one take. `run` begins (or, after a crash of the supervisor, goes on), and when its signal aborts
 * closes the segment, compresses what was spooled and verifies every master. All it knows is in take.json.
 */
export class Recorder {
  private readonly options: RecorderOptions;
  private readonly take: Take;

  constructor(take: Take, options: RecorderOptions) {
    this.take = take;
    this.options = options;
  }

  /**
   * Enters the camera into take.json, unless it is there already.
   * @throws DiskReserveError where there is no space to begin with
   */
  async prepare(): Promise<void> {
    const { camera, reserveBytes } = this.options;
    await mkdir(join(this.take.folder, camera), { recursive: true });
    await syncFolder(this.take.folder);
    if (this.record !== undefined) return;
    await requireSpace(this.take.folder, reserveBytes, this.options.freeBytes);
    await this.begin();
  }

  /**
   * @param wanted aborts when recording shall end; what was recorded is then finished
   * @param work aborts when the program ends: compressing and verifying are left for the next start
   * @throws DiskReserveError, RawPipeError
   */
  async run(wanted: AbortSignal, work: AbortSignal): Promise<void> {
    const { camera, host, pipe } = this.options;
    await this.prepare();
    await ensureRawPipe(host, pipe);
    const endReason = await this.recordSegments(wanted, work);
    this.options.onProgress?.(noProgress);
    await this.take.updateCamera(camera, (record) => ({ ...record, state: 'finishing', reason: endReason }));
    this.options.onRecorded?.();
    await this.finish(endReason, work);
  }

  private get record(): CameraRecord | undefined {
    return this.take.manifest.cameras[this.options.camera];
  }

  private begin(): Promise<void> {
    const { raw, codec, strategy, strategyReason, threads, camera } = this.options;
    const record: CameraRecord = {
      ...{ state: 'starting', reason: 'waits for the first frame', codec, strategy, strategyReason },
      ...{ source: { ...raw }, threads, frames: 0, droppedFrames: 0, segments: [] },
    };
    return this.take.update((manifest) => ({
      ...manifest,
      cameras: { ...manifest.cameras, [camera]: record },
    }));
  }

  /** Segment after segment until it is enough. Returns why it ended early, or null. */
  private async recordSegments(wanted: AbortSignal, work: AbortSignal): Promise<string | null> {
    let pauseMs = retryMs;
    let end: string | null = null;
    let left = this.record?.segments.find(({ state }) => state === 'recording');
    while (left !== undefined || (!wanted.aborted && end === null)) {
      const resumed = left !== undefined;
      const number = left?.number ?? (this.record?.segments.at(-1)?.number ?? 0) + 1;
      left = undefined;
      const outcome = await this.recordOne(number, resumed, wanted, work);
      if (outcome.endedBy === 'disk') end = 'the disk is full up to its reserve';
      pauseMs = outcome.frames > 0 ? retryMs : Math.min(pauseMs * 2, retryMaxMs);
      // The pause also lets the writer notice that its reader went, or the next would start in the middle of a frame.
      if (!wanted.aborted && end === null) await pause(pauseMs, wanted);
    }
    return end;
  }

  private async recordOne(number: number, resumed: boolean, wanted: AbortSignal, work: AbortSignal) {
    const { camera, logger } = this.options;
    const files = this.take.files(camera, number);
    const record = this.record;
    if (record === undefined) throw new Error('a segment needs a record');
    const outcome = await recordSegment({
      freeBytes,
      ...this.options,
      name: childName('record', this.take.manifest.id, camera, segmentStem(number)),
      files,
      settings: { codec: record.codec, raw: record.source, threads: record.threads },
      strategy: record.strategy,
      resumed,
      signal: wanted,
      onFirstFrame: () => this.segmentBegan(number),
      onProgress: (progress) => this.options.onProgress?.(progress),
    });
    const previous = record.segments.filter((segment) => segment.number < number).at(-1);
    const closed = await closeSegment({
      ...this.options,
      ...{ take: this.take, number, record, clean: outcome.clean, previous, signal: work },
    });
    await this.take.updateCamera(camera, (old) => withSegment(old, number, closed));
    if (closed === undefined) {
      logger.warn(
        { take: this.take.manifest.id, camera, last: outcome.lastWord },
        'recorder ended without a frame',
      );
    } else {
      const { frames, droppedFrames, clean } = closed;
      logger.info(
        { take: this.take.manifest.id, camera, number, frames, droppedFrames, clean },
        'segment closed',
      );
    }
    return { frames: closed?.frames ?? 0, endedBy: outcome.endedBy };
  }

  private segmentBegan(number: number): Promise<void> {
    return this.take.updateCamera(this.options.camera, (record) => {
      const known = record.segments.some((segment) => segment.number === number);
      const segment = known ? undefined : newSegment(this.take, this.options.camera, number, record);
      const segments = segment === undefined ? record.segments : [...record.segments, segment];
      return { ...record, state: 'recording', reason: null, segments };
    });
  }

  private async finish(endReason: string | null, work: AbortSignal): Promise<void> {
    const { camera, host, logger } = this.options;
    await finishSegments({ host, logger, take: this.take, camera, signal: work });
    await this.take.updateCamera(camera, (record) => concluded(record, endReason));
  }
}

/** Puts a closed segment in its place; a segment without a frame is forgotten. */
function withSegment(record: CameraRecord, number: number, closed: Segment | undefined): CameraRecord {
  const others = record.segments.filter((segment) => segment.number !== number);
  const waiting = { state: 'starting', reason: 'waits for frames' } as const;
  const segments = closed === undefined ? others : [...others, closed];
  return { ...record, ...waiting, segments: segments.toSorted((a, b) => a.number - b.number) };
}

function newSegment(take: Take, camera: string, number: number, record: CameraRecord): Segment {
  const files = take.files(camera, number);
  const relative = (path: string) => path.slice(take.folder.length + 1);
  return {
    ...{ number, state: 'recording', file: relative(files.master), bytes: 0, frames: 0 },
    spool: record.strategy === 'spool' ? relative(files.spool) : null,
    ...{ droppedFrames: 0, droppedBefore: 0, firstTimestamp: null, lastTimestamp: null, timecode: null },
    ...{ sha256: null, framemd5: { file: relative(files.reference), sha256: null } },
    ...{ clean: false, verified: null },
  };
}

/** What became of a camera's recording, once nothing is left to do. Pure. */
export function concluded(record: CameraRecord, endReason: string | null): CameraRecord {
  if (record.frames === 0)
    return { ...record, state: 'failed', reason: endReason ?? 'not one frame arrived' };
  const bad = record.segments.find(({ verified }) => verified?.ok !== true);
  if (bad !== undefined) {
    const problem = bad.verified?.problems[0] ?? 'it was not verified';
    return { ...record, state: 'failed', reason: `segment ${bad.number}: ${problem}` };
  }
  return { ...record, state: 'verified', reason: endReason };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // An abort only ends the pause early.
  await sleep(ms, undefined, { signal }).catch(() => {});
}
