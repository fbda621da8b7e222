import { CaptureOutputError } from './errors.ts';

/** A sensor mode: how the sensor is read. */
export interface SensorMode {
  /** Raw format by libcamera's name: `SRGGB10_CSI2P`. */
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly maxFps: number;
  /** Part of the sensor that is read: left, top, width, height in its pixels. */
  readonly crop: readonly [left: number, top: number, width: number, height: number];
}

/** A camera module as `rpicam-hello --list-cameras` prints it. */
export interface RpicamDevice {
  readonly index: number;
  readonly sensor: string;
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number | null;
  /** Firmware path of the sensor; the same after a reboot. */
  readonly path: string;
  readonly modes: readonly SensorMode[];
}

const cameraLine = /^(\d+) : (.+?) \[(\d+)x(\d+)(?: (\d+)-bit)?[^\]]*\] \((.+)\)$/;
const formatStart = /^\s*(?:Modes: )?'([^']+)' : (.*)$/;
const modeText = /^\s*(\d+)x(\d+) \[([\d.]+) fps - \((\d+), (\d+)\)\/(\d+)x(\d+) crop\]\s*$/;

/**
 * Reads the list of `rpicam-hello --list-cameras`. "No cameras available!" is an empty list. Log lines of libcamera in between
 * are skipped.
 * @throws CaptureOutputError if a mode belongs to no camera or format
 */
export function parseCameraList(text: string): RpicamDevice[] {
  const cameras: (Omit<RpicamDevice, 'modes'> & { modes: SensorMode[] })[] = [];
  let format: string | undefined;
  for (const line of text.split('\n')) {
    const camera = cameraLine.exec(line.trimEnd());
    if (camera !== null) {
      cameras.push({ ...deviceOf(camera), modes: [] });
      format = undefined;
      continue;
    }
    const start = formatStart.exec(line);
    if (start !== null) format = start[1];
    const mode = modeText.exec(start === null ? line : (start[2] ?? ''));
    if (mode === null) continue;
    const owner = cameras.at(-1);
    if (owner === undefined || format === undefined) {
      throw new CaptureOutputError(`a sensor mode without camera or format: ${line.trim().slice(0, 80)}`);
    }
    owner.modes.push(modeOf(format, mode));
  }
  return cameras;
}

function deviceOf(found: RegExpExecArray): Omit<RpicamDevice, 'modes'> {
  const [, index, sensor = '', width, height, depth, path = ''] = found;
  const bitDepth = depth === undefined ? null : Number(depth);
  return { index: Number(index), sensor, width: Number(width), height: Number(height), bitDepth, path };
}

function modeOf(format: string, found: RegExpExecArray): SensorMode {
  const [width = 0, height = 0, maxFps = 0, left = 0, top = 0, cropWidth = 0, cropHeight = 0] = found
    .slice(1)
    .map(Number);
  return { format, width, height, maxFps, crop: [left, top, cropWidth, cropHeight] };
}

/**
 * Reads a file of `rpicam-vid --save-pts` (mkvmerge's "timecode format v2") piece by piece, as it grows: milliseconds since
 * the first frame, one per line. A piece may end anywhere; an unfinished last line waits for its rest.
 */
export class PtsReader {
  private readonly onTime: (timeMs: number) => void;
  private atHeader: boolean;
  private rest = '';

  /** @param from `middle`: at the beginning of a later line */
  constructor(onTime: (timeMs: number) => void, from: 'start' | 'middle' = 'start') {
    this.onTime = onTime;
    this.atHeader = from === 'start';
  }

  /** Whether the last line is not complete yet. */
  get unfinished(): boolean {
    return this.rest !== '';
  }

  /** @throws CaptureOutputError */
  push(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.take(line);
  }

  private take(line: string): void {
    if (this.atHeader) {
      if (!/^# time(code|stamp) format v2\s*$/.test(line)) {
        throw new CaptureOutputError('no presentation times: the first line is no "timecode format v2"');
      }
      this.atHeader = false;
      return;
    }
    if (!/^\d+(\.\d+)?\s*$/.test(line)) {
      throw new CaptureOutputError(`no presentation time: ${line.slice(0, 40)}`);
    }
    this.onTime(Number(line));
  }
}
