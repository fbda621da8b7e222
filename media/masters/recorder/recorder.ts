import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ChildHost } from '../../../common/child-host.ts';
import { makeFolder, removeFile, syncFolder } from '../../../common/disk-fs.ts';
import { pause } from '../../../common/pause.ts';
import { ensureRawPipe } from '../../capture/raw-pipe.ts';
import type { SensorClock } from '../../capture/sensor-clock.ts';
import type { RawStream } from '../../capture/types.ts';
import { freeBytes, requireSpace } from '../disk/disk.ts';
import { requireFolder } from '../disk/disk-file.ts';
import { type Attempt, diskReason, isDiskTrouble, onlyAttempt, withPatience } from '../disk/disk-trouble.ts';
import { closeSegment, recounted } from '../segment/segment-close.ts';
import { newSegment, withClosed } from '../segment/segment-entry.ts';
import { finishSegments } from '../segment/segment-finish.ts';
import { recordSegment } from '../segment/segment-record.ts';
import { noProgress, type SegmentProgress } from '../segment/segment-watch.ts';
import { ClosingQueue } from '../take/closing-queue.ts';
import { concluded } from '../take/conclusion.ts';
import { FinishMeter, type FinishProgress } from '../take/finish-progress.ts';
import type { CameraRecord } from '../take/manifest.ts';
import { segmentStem, type Take } from '../take/take.ts';
import { ClockWatch } from '../timing/clock-watch.ts';
import { SensorLog } from '../timing/sensor-log.ts';
import { childName } from './child-name.ts';
import type { MasterCodec, MasterStrategy } from './recorder-command.ts';

/** What a recorder needs. */
export interface RecorderOptions {
  readonly host: ChildHost;
  readonly logger: Logger;
  /** Source id; the name of the folder of its masters. */
  readonly camera: string;
  /** The named pipe of the capture pipeline. Asked for each segment: only one that is to record needs a pipe that can be read. */
  readonly pipe: (toRecord: boolean) => string;
  readonly raw: RawStream;
  /** Reports when the sensor took the camera's frames; asked again and again, because a pipeline may be replaced. */
  readonly sensorClock?: () => SensorClock | undefined;
  readonly codec: MasterCodec;
  readonly strategy: MasterStrategy;
  readonly strategyReason: string;
  readonly threads: number;
  /** Recording does not begin, and ends cleanly, if no more bytes than this are free. */
  readonly reserveBytes: number;
  /** Free bytes at a path. Default: the file system's answer. */
  readonly freeBytes?: (path: string) => Promise<number>;
  /** Called on every look at the growing files, about twice a second. */
  readonly onProgress?: (progress: SegmentProgress) => void;
  /** Called when no recorder of this camera runs any more, and none will; closing its segments follows. */
  readonly onReleased?: () => void;
  /** Called when every segment is closed; compressing and verifying follow. */
  readonly onRecorded?: () => void;
  /** Called about once a second during that. */
  readonly onFinishing?: (progress: FinishProgress) => void;
  /** Called if the kernel holds a recorder that was ended: its pipe is of no use any more. */
  readonly onHeld?: () => void;
  /** Called if the disk fails, with what is wrong and what to do. */
  readonly onDiskTrouble?: (reason: string) => void;
}

/** How a segment ended. */
interface EndedSegment {
  readonly clean: boolean;
  readonly lastWord: string | null;
}

/** Pause before the next attempt if a recorder ended without a frame. */
const retryMs = 250;
const retryMaxMs = 2000;
/** How often the progress of compressing and verifying is reported. */
const finishingMs = 1000;

/**
 * Records one camera of one take. `run` begins (or, after a crash of the supervisor, continues), and when its signal aborts it
 * closes the segment, compresses the spool and verifies every master. All it knows is in take.json.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #take: Take;
  #isPatient = true;
  /** Whether this run of the program entered the camera into take.json, so that no earlier one can have begun to record it. */
  #begunHere = false;

  constructor(take: Take, options: RecorderOptions) {
    this.#take = take;
    this.#options = options;
  }

  /**
   * Enters the camera into take.json, unless it is there already.
   * @throws DiskReserveError if there is no space to begin
   */
  async prepare(): Promise<void> {
    const { camera, reserveBytes } = this.#options;
    try {
      await this.#prepareFolder(join(this.#take.folder, camera));
    } catch (error) {
      // A recording that began continues as soon as the disk accepts writes again, as in the middle of a take.
      if (this.#record === undefined || !isDiskTrouble(error)) throw error;
      this.#options.logger.warn({ err: error, camera }, 'the disk of a take to be continued fails');
    }
    if (this.#record !== undefined) return;
    await requireSpace(this.#take.folder, reserveBytes, this.#options.freeBytes);
    await this.#begin();
  }

  async #prepareFolder(folder: string): Promise<void> {
    await makeFolder(folder);
    await requireFolder(folder);
    await syncFolder(this.#take.folder);
  }

  /**
   * What an earlier run of the program ended for good is only finished, not recorded again.
   * @param wanted aborts when recording should end; what was recorded is then finished
   * @param work aborts when the program ends: compressing and verifying are left for the next start
   * @throws DiskReserveError, RawPipeError
   */
  async run(wanted: AbortSignal, work: AbortSignal): Promise<void> {
    await this.prepare();
    const { state, reason } = this.#requireRecord();
    const goesOn = state === 'starting' || state === 'recording';
    const unlisted = goesOn && wanted.aborted && !this.#begunHere;
    const ended = await this.#recordSegments(goesOn ? wanted : AbortSignal.abort(), work, unlisted);
    const endReason = ended ?? (state === 'finishing' ? reason : null);
    this.#options.onProgress?.(noProgress);
    await this.#note((record) => ({ ...record, state: 'finishing', reason: endReason }));
    this.#options.onRecorded?.();
    await this.#finish(endReason, work);
  }

  get #record(): CameraRecord | undefined {
    return this.#take.manifest.cameras[this.#options.camera];
  }

  #begin(): Promise<void> {
    this.#begunHere = true;
    const { raw, codec, strategy, strategyReason, threads, camera } = this.#options;
    const record: CameraRecord = {
      state: 'starting',
      reason: 'waits for the first frame',
      codec,
      strategy,
      strategyReason,
      source: { ...raw },
      threads,
      frames: 0,
      droppedFrames: 0,
      segments: [],
      unreadable: [],
      clockSteps: [],
    };
    return this.#take.update((manifest) => ({
      ...manifest,
      cameras: { ...manifest.cameras, [camera]: record },
    }));
  }

  /**
   * Segment after segment until it is enough. Returns why it ended early, or null, once all are closed.
   * @param unlisted whether a recorder may run whose segment is not in take.json: a crash came before its first frame was noted
   */
  async #recordSegments(wanted: AbortSignal, work: AbortSignal, unlisted: boolean): Promise<string | null> {
    const closing = new ClosingQueue();
    const clock = new ClockWatch();
    let resumed = this.#closeAbandoned(closing, work) ?? (unlisted ? this.#nextNumber() : undefined);
    let pauseMs = retryMs;
    let end: string | null = null;
    while (resumed !== undefined || (!wanted.aborted && end === null)) {
      const number = resumed ?? this.#nextNumber();
      const outcome = await this.#recordOne(number, resumed !== undefined, wanted, clock);
      // Closing may read the whole segment, which takes long: the next one must not wait for it. One without a frame is closed
      // at once, because the next one gets its number.
      const later =
        outcome.frames > 0 || resumed !== undefined || !(await this.#closedAtOnce(number, outcome, work));
      if (later) closing.add(() => this.#closePatiently(number, outcome, work));
      resumed = undefined;
      if (outcome.endedBy === 'disk') end = 'the disk is full up to its reserve';
      pauseMs = outcome.frames > 0 ? retryMs : Math.min(pauseMs * 2, retryMaxMs);
      // The pause also lets the writer notice that its reader left; otherwise the next would start in the middle of a frame.
      if (!wanted.aborted && end === null) await pause(pauseMs, wanted);
    }
    this.#options.onReleased?.();
    await closing.done();
    return end;
  }

  /**
   * After a crash only the last open segment may still have its recorder, which is taken over. Those before it were being
   * closed. Returns the number of the last.
   */
  #closeAbandoned(closing: ClosingQueue, work: AbortSignal): number | undefined {
    const open = (this.#record?.segments ?? []).filter(({ state }) => state === 'recording');
    for (const { number } of open.slice(0, -1)) {
      closing.add(() => this.#closePatiently(number, { clean: false, lastWord: null }, work));
    }
    return open.at(-1)?.number;
  }

  async #recordOne(number: number, resumed: boolean, wanted: AbortSignal, clock: ClockWatch) {
    const { host, camera, logger, sensorClock = () => undefined } = this.#options;
    const record = this.#requireRecord();
    const files = this.#take.files(camera, number);
    const pipe = this.#options.pipe(!wanted.aborted);
    await ensureRawPipe(host, pipe);
    await using sensorLog = new SensorLog(files.sensorLog, sensorClock, { resumed, logger });
    // A program that continues after a crash must see which recorder is the last.
    if (record.segments.some(({ state }) => state === 'recording')) await this.#enter(number);
    let last = noProgress;
    let trouble: string | undefined;
    const outcome = await recordSegment({
      freeBytes,
      ...this.#options,
      name: childName('record', this.#take.manifest.id, camera, segmentStem(number)),
      pipe,
      files,
      sensorLog,
      settings: { codec: record.codec, raw: record.source, threads: record.threads },
      strategy: record.strategy,
      resumed,
      signal: wanted,
      onFirstFrame: () => this.#segmentBegan(number),
      clockStep: () => this.#clockStep(clock, number, last.frames > 0),
      onProgress: (progress) => {
        // Files that are gone with their disk do not undo what was seen of them.
        if (progress.frames > 0) last = progress;
        this.#options.onProgress?.(progress);
      },
      onHeld: () => this.#options.onHeld?.(),
      onSilence: (error) => this.#tellTrouble(error),
    }).catch(async (error: unknown) => {
      if (isDiskTrouble(error)) {
        logger.error({ err: error, camera, number }, 'the disk of the masters fails; a new segment is begun');
        trouble = diskReason(error);
        this.#tellTrouble(error);
        return { endedBy: 'recorder', clean: false, lastWord: null } as const;
      }
      await this.#noteEnd(number, last).catch((cause: unknown) =>
        logger.warn({ err: cause, camera }, 'take.json cannot be written'),
      );
      throw error;
    });
    await this.#noteEnd(number, last, trouble);
    return { ...outcome, frames: last.frames };
  }

  /** Until the segment is closed, what was seen while it grew is all that is known about it. */
  async #noteEnd(
    number: number,
    { frames, droppedFrames, bytes }: SegmentProgress,
    reason = 'no frames arrive; recording continues once they do',
  ): Promise<void> {
    this.#options.onProgress?.(noProgress);
    await this.#note((old) => ({
      ...old,
      state: 'starting',
      reason,
      segments: old.segments.map((one) =>
        one.number === number && frames > 0 ? { ...one, frames, droppedFrames, bytes } : one,
      ),
    }));
  }

  /** False if its disk fails: the segment keeps its number then, and is closed later. */
  async #closedAtOnce(number: number, how: EndedSegment, work: AbortSignal): Promise<boolean> {
    try {
      await this.#close(number, how, work, { number: 1, isLast: false });
      return true;
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      await this.#enter(number);
      return false;
    }
  }

  /** Waits for a disk that fails once, and then not again for each segment, until something can be closed. */
  async #closePatiently(number: number, how: EndedSegment, work: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    const close = async (attempt: Attempt) => {
      try {
        await this.#close(number, how, work, attempt);
      } catch (error) {
        if (isDiskTrouble(error)) this.#tellTrouble(error);
        throw error;
      }
    };
    const once = !this.#isPatient;
    this.#isPatient = false;
    await (once ? close(onlyAttempt) : withPatience(close, { signal: work, logger }));
    this.#isPatient = true;
  }

  /** States what an ended segment holds. */
  async #close(number: number, how: EndedSegment, work: AbortSignal, attempt: Attempt): Promise<void> {
    const { camera, logger } = this.#options;
    const record = this.#requireRecord();
    const previous = record.segments.filter((segment) => segment.number < number).at(-1);
    const closed = await closeSegment({
      ...this.#options,
      take: this.#take,
      number,
      record,
      clean: how.clean,
      previous,
      signal: work,
      attempt,
    });
    await this.#take.updateCamera(camera, (old) => recounted(withClosed(old, number, closed), number));
    const take = this.#take.manifest.id;
    if (closed.segment === undefined) {
      logger.warn({ take, camera, last: how.lastWord }, 'recorder ended without a frame');
    } else {
      const { frames, droppedFrames, clean } = closed.segment;
      logger.info({ take, camera, number, frames, droppedFrames, clean }, 'segment closed');
    }
  }

  #requireRecord(): CameraRecord {
    const record = this.#record;
    if (record === undefined) throw new Error('a segment needs a record');
    return record;
  }

  /** Above all that were used: a file that was moved aside keeps the number of its segment. */
  #nextNumber(): number {
    const { segments = [], unreadable = [] } = this.#record ?? {};
    return Math.max(0, ...[...segments, ...unreadable].map(({ number }) => number)) + 1;
  }

  /**
   * Changes what take.json says about the camera. A disk that fails is no reason to end a recording: what could not be written
   * is part of the next change.
   */
  async #note(change: (record: CameraRecord) => CameraRecord): Promise<void> {
    const { camera, logger } = this.#options;
    try {
      await this.#take.updateCamera(camera, change);
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      logger.warn({ err: error, camera }, 'take.json cannot be written now');
      this.#tellTrouble(error);
    }
  }

  #tellTrouble(error: unknown): void {
    this.#options.onDiskTrouble?.(diskReason(error) ?? (error as Error).message);
  }

  /** What take.json says about the machine's clock; the seconds by which it was set since the last look, or null. */
  async #clockStep(clock: ClockWatch, number: number, within: boolean): Promise<number | null> {
    const seconds = clock.step();
    if (seconds === null) return null;
    const { camera, logger } = this.#options;
    logger.warn({ camera, seconds }, 'the clock of this machine was set during a take');
    const step = { at: new Date().toISOString(), seconds, segment: number, within };
    await this.#note((record) => ({ ...record, clockSteps: [...record.clockSteps, step].slice(-1000) }));
    return seconds;
  }

  #enter(number: number): Promise<void> {
    return this.#note((record) => this.#withEntry(record, number));
  }

  #segmentBegan(number: number): Promise<void> {
    return this.#note((record) => ({
      ...this.#withEntry(record, number),
      state: 'recording',
      reason: null,
    }));
  }

  #withEntry(record: CameraRecord, number: number): CameraRecord {
    if (record.segments.some((segment) => segment.number === number)) return record;
    const segment = newSegment(this.#take, this.#options.camera, number, record);
    return { ...record, segments: [...record.segments, segment] };
  }

  async #finish(endReason: string | null, work: AbortSignal): Promise<void> {
    const { camera, host, logger, reserveBytes, freeBytes: ask } = this.#options;
    const logs = this.#requireRecord().segments.map(
      ({ number }) => this.#take.files(camera, number).sensorLog,
    );
    const order = { host, logger, take: this.#take, camera, signal: work };
    await withPatience(() => Promise.all(logs.map((file) => removeFile(file))), order);
    const meter = new FinishMeter();
    const tell = setInterval(() => this.#options.onFinishing?.(meter.progress()), finishingMs);
    try {
      await finishSegments({ ...order, reserveBytes, freeBytes: ask, meter });
    } finally {
      clearInterval(tell);
    }
    await withPatience(
      () => this.#take.updateCamera(camera, (record) => concluded(record, endReason)),
      order,
    );
  }
}
