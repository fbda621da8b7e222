import type { Logger } from 'pino';
import type { SensorTick } from '../../capture/sensor-clock.ts';
import { replaceTakeFile } from '../disk/atomic-file.ts';
import { textOf } from '../disk/disk-file.ts';
import type { SegmentFiles } from '../recorder/recorder-command.ts';
import { withoutSteps } from '../segment/dropped-frames.ts';
import type { FrameLog } from '../segment/frame-log.ts';
import type { SensorTimes } from '../take/manifest.ts';
import { parseSensorLog } from './sensor-log.ts';
import { deliveredFrames, matchFrames } from './sensor-times.ts';
import { isoMicroseconds } from './timecode.ts';

const maxSensorLogBytes = 256 * 1024 * 1024;

/** When the frames of a segment were captured. */
export interface CaptureTimes {
  /** Seconds since 1970, one per frame, in order. */
  readonly timesS: readonly number[];
  /** What the sensor's clock says about them; null if it is silent, and they are dated by their timestamps. */
  readonly sensorTimes: Omit<SensorTimes, 'file'> | null;
}

/** The frames to date. */
export interface CaptureTimesOrder {
  readonly files: SegmentFiles;
  readonly fps: number;
  /** By how many seconds the machine's clock was set meanwhile, in order: the times continue as if it had not been. */
  readonly clockSteps: readonly number[];
  readonly logger: Logger;
}

/**
 * Dates the frames of a segment: by the sensor's clock if it is known, otherwise by their timestamps. Writes one time per frame
 * beside the master (`NNNN.pts`), in mkvmerge's format.
 */
export async function captureTimes(log: FrameLog, order: CaptureTimesOrder): Promise<CaptureTimes> {
  const { files, fps, clockSteps, logger } = order;
  const stampedS = log.frames.map(({ pts }) => pts * log.timeBase);
  const arrivalsS = withoutSteps(stampedS, clockSteps);
  const arrived = log.frames.map(({ pts }, i) => {
    return { atS: arrivalsS[i] ?? 0, pts: i < (log.guessedFrom ?? log.frames.length) ? pts : null };
  });
  try {
    const text = await textOf(files.sensorLog, maxSensorLogBytes);
    if (text === undefined) return { timesS: arrivalsS, sensorTimes: null };
    const { takenS, skipped } = matchFrames(
      arrived,
      deliveredFrames(deliveredWithoutSteps(parseSensorLog(text), clockSteps)),
      fps,
    );
    const frames = takenS.filter((time) => time !== null).length;
    if (frames < arrivalsS.length) {
      logger.warn(
        { file: files.sensorLog, frames, of: arrivalsS.length },
        'the sensor reported no times of frames',
      );
    }
    if (frames === 0) return { timesS: arrivalsS, sensorTimes: null };
    const timesS = inOrder(takenS.map((time, i) => time ?? arrivalsS[i] ?? 0));
    await replaceTakeFile(files.sensorTimes, ptsText(timesS));
    return { timesS, sensorTimes: { source: 'save-pts', frames, skippedFrames: skipped, ...spanOf(timesS) } };
  } catch (error) {
    // The recording is worth more than its exact times.
    logger.warn({ err: error, file: files.sensorLog }, 'the times of the sensor cannot be used');
    return { timesS: arrivalsS, sensorTimes: null };
  }
}

function deliveredWithoutSteps(ticks: readonly SensorTick[], steps: readonly number[]): SensorTick[] {
  const deliveredS = ticks.flatMap(({ deliveredAtMs }) =>
    deliveredAtMs === null ? [] : [deliveredAtMs / 1e3],
  );
  const atS = withoutSteps(deliveredS, steps)[Symbol.iterator]();
  return ticks.map((tick) =>
    tick.deliveredAtMs === null ? tick : { ...tick, deliveredAtMs: (atS.next().value ?? 0) * 1e3 },
  );
}

function spanOf(timesS: readonly number[]): Pick<SensorTimes, 'first' | 'last' | 'largestGapMs'> {
  let largestGapS = 0;
  timesS.forEach((time, i) => {
    largestGapS = Math.max(largestGapS, time - (timesS[i - 1] ?? time));
  });
  const [firstS = 0, lastS = 0] = [timesS[0], timesS.at(-1)];
  return {
    first: isoMicroseconds(firstS),
    last: isoMicroseconds(lastS),
    largestGapMs: Math.round(largestGapS * 1e6) / 1e3,
  };
}

/** A frame that is dated by its arrival may seem younger than the next one. */
function inOrder(timesS: readonly number[]): number[] {
  const ordered: number[] = [];
  for (const time of timesS) ordered.push(Math.max(time, ordered.at(-1) ?? time));
  return ordered;
}

/** "timecode format v2": milliseconds since the first frame. */
function ptsText(timesS: readonly number[]): string {
  const [firstS = 0] = timesS;
  const lines = timesS.map((time) => ((time - firstS) * 1e3).toFixed(3));
  return ['# timecode format v2', ...lines, ''].join('\n');
}
