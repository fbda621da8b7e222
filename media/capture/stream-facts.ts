import type { RawStream } from './types.ts';

/** What a pipeline's own output says about the video it got from the camera. */
export interface StreamFacts {
  /** ffmpeg's name of the codec: `h264`, `hevc`, `mjpeg`. */
  readonly codec?: string;
  readonly range?: RawStream['range'];
  readonly width?: number;
  readonly height?: number;
  /** Frames per second that the stream or its parameter sets state. */
  readonly fps?: number;
  /** The stream's frames are sent in another order than they are shown. */
  readonly reordered?: boolean;
}

const inputStream = /Stream #0:\d+.*?: Video: (\w+)(.*)$/;
const pixels = /, (\w+)(?:\(([^)]*)\))?, (\d+)x(\d+)/;
const rate = /, ([\d.]+)(k?) fps\b/;
/** libcamera's line about what it set up: `(0) 1920x1080-YUV420/sYCC`; without a name, `primaries/transfer/matrix/range`. */
const libcameraStream = /configuring streams: \(0\) \d+x\d+-\w+\/(\S+)/;
const fullSpaces: ReadonlySet<string> = new Set(['sYCC', 'sRGB', 'RAW']);

/**
 * Reads what ffmpeg and libcamera write about a pipeline's input, line by line. Lines after the list of inputs describe the
 * pipeline's own output and are skipped.
 */
export class StreamFactsReader {
  #inInput = false;
  #known: StreamFacts = {};

  get facts(): StreamFacts {
    return this.#known;
  }

  /** Returns whether the line contained a fact. Never throws. */
  push(line: string): boolean {
    const space = libcameraStream.exec(line)?.[1];
    if (space !== undefined) return this.#add({ range: rangeOfSpace(space) });
    if (/\bInput #0\b/.test(line)) this.#inInput = true;
    if (/\b(Output #\d|Stream mapping:)/.test(line)) this.#inInput = false;
    if (!this.#inInput) return false;
    const video = inputStream.exec(line);
    return video === null ? false : this.#add(factsOf(video[1] ?? '', video[2] ?? ''));
  }

  #add(facts: StreamFacts): boolean {
    this.#known = { ...this.#known, ...facts };
    return true;
  }
}

function factsOf(codec: string, rest: string): StreamFacts {
  const found = pixels.exec(rest);
  const fps = rate.exec(rest);
  const framesPerS = fps === null ? 0 : Number(fps[1]) * (fps[2] === 'k' ? 1000 : 1);
  // A rate in the thousands is a time base that the camera gave as a rate.
  const fpsFact = framesPerS > 0 && framesPerS <= 240 ? { fps: framesPerS } : {};
  if (found === null) return { codec, ...fpsFact };
  const [, format = '', details = '', width, height] = found;
  const size = { width: Number(width), height: Number(height) };
  // Uncompressed frames carry no range: only the negotiation knows it.
  const range = codec === 'rawvideo' ? {} : { range: rangeOf(codec, format, details) };
  return { codec, ...range, ...size, ...fpsFact };
}

/** JPEG has full range (T.871), H.264 that does not say otherwise limited range (E.2.1). */
function rangeOf(codec: string, format: string, details: string): RawStream['range'] {
  const words = details.split(/[,\s/]+/);
  if (words.includes('pc') || format.startsWith('yuvj')) return 'full';
  if (words.includes('tv')) return 'limited';
  return codec === 'mjpeg' ? 'full' : 'limited';
}

function rangeOfSpace(space: string): RawStream['range'] {
  if (/\/(Full|Limited)$/i.test(space)) return /\/Full$/i.test(space) ? 'full' : 'limited';
  return fullSpaces.has(space) ? 'full' : 'limited';
}

/** The range in what `v4l2-ctl --get-fmt-video` prints: `Quantization : Default (maps to Limited Range)`. */
export function negotiatedRange(text: string): RawStream['range'] | undefined {
  const found = /^\s*Quantization\s*:\s*(?:Default \(maps to )?(Full|Limited) Range/m.exec(text)?.[1];
  return found === undefined ? undefined : found === 'Full' ? 'full' : 'limited';
}
