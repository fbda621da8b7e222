import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { z } from 'zod';
import { errorCode, RushlightError } from '../../../../common/errors.ts';
import type { RawStream } from '../../types.ts';

/** A file that cannot be played as a source; the message is a sentence for people. */
export class SourceFileError extends RushlightError {
  readonly code = 'SOURCE_FILE_UNUSABLE';
}

/** What a video file contains. Sizes in pixels as shown, so turned if the file says so. */
export interface FileFacts {
  /** Device, inode, size and time of change: it differs for another file, or another content. */
  readonly identity: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly pixelFormat: 'yuv420p' | 'yuv422p' | 'yuv444p';
  readonly range: RawStream['range'];
  /** Its video can go to viewers unchanged: ffmpeg's name of the codec; null if it has to be encoded. */
  readonly copyable: 'h264' | 'hevc' | null;
}

/** Runs a program to its end and returns the lines of its standard output. */
export type RunProgram = (argv: readonly [program: string, ...args: string[]]) => Promise<readonly string[]>;

const streamSchema = z.object({
  codec_name: z.string().default(''),
  width: z.int().default(0),
  height: z.int().default(0),
  has_b_frames: z.int().default(0),
  field_order: z.string().default('progressive'),
  avg_frame_rate: z.string().default('0/0'),
  r_frame_rate: z.string().default('0/0'),
  pix_fmt: z.string().default(''),
  color_range: z.string().default('tv'),
  disposition: z.object({ attached_pic: z.int().default(0) }).default({ attached_pic: 0 }),
  side_data_list: z.array(z.object({ rotation: z.number().default(0) })).default([]),
});
const answerSchema = z.object({
  streams: z.array(streamSchema).default([]),
  format: z.object({ format_name: z.string().default('') }).default({ format_name: '' }),
});

const keptFormats = ['yuv420p', 'yuv422p', 'yuv444p'] as const;
const copiedCodecs = ['h264', 'hevc'] as const;
/** Containers that store the headers of the video separately, so that ffmpeg repeats them before every keyframe. */
const copiedFormats = /\b(mp4|matroska)\b/;
/** Containers that ffprobe sees in a single picture or a text. */
const noVideoFormats = /^(image2|.*_pipe|tty|lrc|srt|ass)$/;

/** Looks into a video file. @throws SourceFileError */
export async function probeFile(file: string, run: RunProgram): Promise<FileFacts> {
  const identity = await identityOf(file);
  const entries =
    'stream=codec_name,width,height,has_b_frames,field_order,avg_frame_rate,r_frame_rate,pix_fmt,color_range:stream_disposition=attached_pic:stream_side_data=rotation:format=format_name';
  const lines = await run([
    'ffprobe',
    '-v',
    'error',
    '-select_streams',
    'v',
    '-show_entries',
    entries,
    '-of',
    'json',
    `file:${file}`,
  ]);
  return { identity, ...factsOf(file, lines.join('\n')) };
}

/** Reads ffprobe's answer. Pure. @throws SourceFileError */
export function factsOf(file: string, answer: string): Omit<FileFacts, 'identity'> {
  const { streams, format } = answerOf(file, answer);
  if (format.format_name === '') {
    throw new SourceFileError(`${file} is not a video file. Put one there, such as MP4 or Matroska.`);
  }
  const stream = streams.find(({ disposition }) => disposition.attached_pic === 0);
  if (stream === undefined || noVideoFormats.test(format.format_name)) {
    throw new SourceFileError(`${file} has no video. Put a video file there, such as MP4 or Matroska.`);
  }
  const turned = stream.side_data_list.some(({ rotation }) => rotation % 360 !== 0);
  const swapped = stream.side_data_list.some(({ rotation }) => Math.abs(rotation % 180) === 90);
  const [width, height] = swapped ? [stream.height, stream.width] : [stream.width, stream.height];
  const fps = rateOf(stream.avg_frame_rate) ?? rateOf(stream.r_frame_rate);
  if (width < 16 || height < 16 || fps === null) {
    throw new SourceFileError(`${file} is damaged: it does not say its size and rate. Copy the file again.`);
  }
  const plain = stream.pix_fmt.replace('yuvj', 'yuv');
  const full = stream.color_range === 'pc' || stream.pix_fmt.startsWith('yuvj');
  const passes =
    copiedFormats.test(format.format_name) &&
    stream.has_b_frames === 0 &&
    plain === 'yuv420p' &&
    !turned &&
    ['progressive', 'unknown'].includes(stream.field_order);
  return {
    // Encoders and browsers accept only even sizes.
    width: width - (width % 2),
    height: height - (height % 2),
    fps,
    pixelFormat: keptFormats.find((kept) => kept === plain) ?? 'yuv420p',
    range: full ? 'full' : 'limited',
    copyable: (passes && copiedCodecs.find((codec) => codec === stream.codec_name)) || null,
  };
}

function answerOf(file: string, answer: string): z.output<typeof answerSchema> {
  try {
    return answerSchema.parse(JSON.parse(answer));
  } catch (error) {
    throw new SourceFileError(`${file} is not a video file. Put one there, such as MP4 or Matroska.`, {
      cause: error,
    });
  }
}

async function identityOf(file: string): Promise<string> {
  try {
    const found = await stat(file, { bigint: true });
    if (!found.isFile()) throw new SourceFileError(`${file} is not a file. Name a video file in "path".`);
    await access(file, constants.R_OK);
    return `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`;
  } catch (error) {
    if (error instanceof SourceFileError) throw error;
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new SourceFileError(`${file} does not exist. Copy the video there, or change "path".`, {
        cause: error,
      });
    }
    throw new SourceFileError(
      `${file} cannot be read (${code ?? String(error)}). Let this appliance read the file.`,
      { cause: error },
    );
  }
}

/** `30000/1001` as a number; null if it is not a possible rate of a camera. */
function rateOf(text: string): number | null {
  const [over, under = 1] = text.split('/').map(Number);
  const rate = (over ?? 0) / under;
  return Number.isFinite(rate) && rate > 0 && rate <= 1000 ? rate : null;
}
