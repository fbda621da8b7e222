import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { z } from 'zod';
import { describeError } from '../../../common/errors.ts';
import { readTextIfThere, writeFileAtomic } from '../../../common/files.ts';
import type { RawStream } from '../../capture/types.ts';
import { expectedRates } from '../disk/disk.ts';
import type { SegmentProgress } from '../segment/segment-watch.ts';
import type { CameraRecord } from '../take/manifest.ts';
import type { MasterCodec, MasterStrategy } from './recorder-command.ts';

/** What is measured. */
export interface RecordRatesOptions {
  /** JSON file that keeps what was measured. */
  readonly cacheFile: string;
  readonly logger: Logger;
}

/** What is to be recorded, and how. */
export interface RecordPlan {
  readonly camera: string;
  readonly raw: Pick<RawStream, 'codec' | 'pixelFormat' | 'width' | 'height' | 'fps'>;
  readonly codec: MasterCodec;
  readonly strategy: MasterStrategy;
  /** What grows at this moment if it is recorded. */
  readonly growing?: SegmentProgress | undefined;
}

const sizeSchema = z.object({ bytes: z.number().positive(), frames: z.number().positive() });
const cacheSchema = z.record(z.string(), sizeSchema);

type Sizes = Map<string, z.infer<typeof sizeSchema>>;

/** Fewer tell nothing: headers, and a camera that is just finding its exposure. */
const fewestSeconds = 2;
/** What is older counts less and less: five minutes of 30 frames a second. */
const rememberedFrames = 9000;
const mostEntries = 256;

/** How many bytes the frames of each camera took in earlier takes, which says how long a disk will last. */
export class RecordRates {
  readonly #options: RecordRatesOptions;
  readonly #inTurn = pLimit(1);
  #sizes: Promise<Sizes> | null = null;

  constructor(options: RecordRatesOptions) {
    this.#options = options;
  }

  /** Learns from what a take kept of a camera: raw frames before they are compressed, masters after. Never rejects. */
  learn(camera: string, record: CameraRecord): Promise<void> {
    return this.#inTurn(async () => {
      const sizes = await this.#read();
      let changed = false;
      for (const kind of ['spool', 'master'] as const) {
        const counted = record.segments.filter(
          ({ state, frames }) =>
            state === (kind === 'spool' ? 'spooled' : 'closed') && isEnough(frames, record.source.fps),
        );
        const frames = counted.reduce((sum, segment) => sum + segment.frames, 0);
        const bytes = counted.reduce((sum, segment) => sum + segment.bytes, 0);
        if (frames === 0 || bytes === 0) continue;
        const key = keyOf(kind, { camera, raw: record.source, codec: record.codec });
        const before = sizes.get(key) ?? { bytes: 0, frames: 0 };
        const keep = Math.min(1, rememberedFrames / (before.frames + frames));
        sizes.delete(key);
        sizes.set(key, { bytes: (before.bytes + bytes) * keep, frames: (before.frames + frames) * keep });
        changed = true;
      }
      if (changed) await this.#write(sizes);
    });
  }

  /** Resolves once everything learned so far is in the file. Never rejects. */
  written(): Promise<void> {
    return this.#inTurn(() => {});
  }

  /** Bytes a second that recording takes: as measured, else as much as can be expected. A spool is held beside its master for a while. */
  async bytesPerSecond(plan: RecordPlan): Promise<number> {
    const sizes = await this.#read();
    const { raw, strategy, growing } = plan;
    const expected = expectedRates(raw);
    const measured = (kind: MasterStrategy | 'master') => {
      const size = sizes.get(keyOf(kind, plan));
      return size === undefined ? undefined : (size.bytes / size.frames) * raw.fps;
    };
    const present =
      growing !== undefined && isEnough(growing.frames, raw.fps)
        ? (growing.bytes / growing.frames) * raw.fps
        : undefined;
    const master = measured('master') ?? expected.master;
    if (strategy === 'direct') return present ?? master;
    return (present ?? measured('spool') ?? expected.spool) + master;
  }

  #read(): Promise<Sizes> {
    this.#sizes ??= this.#readFile();
    return this.#sizes;
  }

  /** A file that is missing or damaged counts as empty: the next take measures again. */
  async #readFile(): Promise<Sizes> {
    const { cacheFile, logger } = this.#options;
    try {
      const text = await readTextIfThere(cacheFile);
      return new Map(Object.entries(text === null ? {} : cacheSchema.parse(JSON.parse(text))));
    } catch (error) {
      logger.warn({ reason: describeError(error) }, 'what earlier takes took of the disk cannot be read');
      return new Map();
    }
  }

  async #write(sizes: Sizes): Promise<void> {
    const { cacheFile, logger } = this.#options;
    for (const key of [...sizes.keys()].slice(0, -mostEntries)) sizes.delete(key);
    try {
      await writeFileAtomic(cacheFile, `${JSON.stringify(Object.fromEntries(sizes), null, 2)}\n`);
    } catch (error) {
      logger.warn({ err: error }, 'what takes take of the disk cannot be kept');
    }
  }
}

function isEnough(frames: number, fps: number): boolean {
  return frames >= fewestSeconds * fps;
}

function keyOf(kind: string, { camera, raw, codec }: Pick<RecordPlan, 'camera' | 'raw' | 'codec'>): string {
  const stream = `${raw.codec} ${raw.width}x${raw.height} ${raw.pixelFormat}`;
  return kind === 'master' ? `${camera} ${codec} of ${stream}` : `${camera} ${stream}`;
}
