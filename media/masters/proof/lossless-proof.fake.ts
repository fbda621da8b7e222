import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SpawningChildHost } from '../../../common/child-host.fake.ts';
import type { SourceSpec, V4l2Format } from '../../capture/kinds/index.ts';
import { buildCapture } from '../../capture/kinds/index.ts';
import { ffmpegPrelude } from '../../capture/outputs.ts';
import { StreamFactsReader } from '../../capture/stream-facts.ts';
import type { RawStream } from '../../capture/types.ts';
import {
  type MasterStrategy,
  recordArgv,
  type SegmentFiles,
  transcodeArgv,
} from '../recorder/recorder-command.ts';
import { probedRange } from '../segment/spool-range.ts';
import { writeFrameRate } from '../timing/matroska-rate.ts';
import { type KnownH264, knownAccessUnit, knownFrameBytes } from './known-h264.fake.ts';
import { type KnownJpeg, knownJpeg } from './known-jpeg.fake.ts';
import { verifyMaster } from './verify.ts';

const run = promisify(execFile);
const size = { width: 64, height: 48 } as const;
/** Frames in each proof. */
export const proofFrames = 6;

/** One thing a source can send, and its samples. */
export interface ProofCase {
  readonly name: string;
  readonly range: RawStream['range'];
  readonly source: 'v4l2' | 'rtsp' | 'rpicam';
  /** How the camera is opened. */
  readonly format: V4l2Format | 'planar';
  /** The right values, known without a decoder. */
  readonly known: 'samples in the stream' | 'flat blocks' | 'bytes moved by hand';
  /** How ffmpeg reads the bytes from a file instead of a device. */
  readonly input: readonly string[];
  /** One frame as the camera sends it, and its samples plane by plane. */
  readonly frame: (index: number) => { readonly sent: Buffer; readonly samples: Buffer };
}

/** The result of one case. */
export interface Proof {
  readonly verified: boolean;
  readonly problems: readonly string[];
  /** Frames whose samples differ from those that the camera sent. */
  readonly wrong: readonly number[];
  readonly frames: number;
  readonly pixelFormat: string;
  readonly range: string;
  readonly rate: string;
}

/** Values over the whole range of a sample, also those that a conversion between ranges would clip or merge. */
function grain(length: number, seed: number, bits: 8 | 10 = 8): Buffer {
  const noise = Buffer.alloc(length);
  let state = seed * 2_654_435_761 + 1;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    noise[at] = state >>> 24;
  }
  if (bits === 10) for (let at = 1; at < length; at += 2) noise[at] = (noise[at] ?? 0) & 3;
  return noise;
}

function h264(
  name: string,
  stream: Pick<KnownH264, 'chroma' | 'bits' | 'range'>,
  source: 'v4l2' | 'rtsp' = 'rtsp',
): ProofCase {
  const whole: KnownH264 = { ...size, ...stream };
  return {
    name: `H.264 ${name}`,
    range: stream.range ?? 'limited',
    source,
    format: 'h264',
    known: 'samples in the stream',
    input: ['-f', 'h264', '-framerate', '30'],
    frame: (index: number) => {
      const own = grain(knownFrameBytes(whole), index + 1, stream.bits);
      // A decoder shows a picture without chroma as 4:2:0 of neutral colour.
      const samples = stream.chroma > 0 ? own : Buffer.concat([own, Buffer.alloc(luma / 2, 128)]);
      return { sent: knownAccessUnit(whole, own, index), samples };
    },
  };
}

function jpeg(name: string, picture: Pick<KnownJpeg, 'luma' | 'grey' | 'tables'>): ProofCase {
  return {
    name: `JPEG ${name}`,
    range: 'full',
    source: 'v4l2',
    format: 'mjpeg',
    known: 'flat blocks',
    input: ['-f', 'mjpeg', '-framerate', '30'],
    frame: (index: number) => {
      const { planes, jpeg: sent } = knownJpeg(
        { ...size, ...picture },
        (plane, block) => 37 * block + 91 * plane + 13 * index,
      );
      return { sent, samples: Buffer.concat([...planes]) };
    },
  };
}

type Order = (sent: Buffer) => Buffer;
const pick = (sent: Buffer, step: number, ...from: number[]) =>
  Buffer.from(from.flatMap((first) => [...sent].filter((_, at) => at % step === first)));
const packed422 = (y: number, u: number, v: number): Order => {
  return (sent) => Buffer.concat([pick(sent, 2, y % 2), pick(sent, 4, u), pick(sent, 4, v)]);
};
const luma = size.width * size.height;

function raw(
  name: string,
  format: V4l2Format | 'planar',
  range: RawStream['range'],
  pixelFormat: string,
  bytes: number,
  order: Order,
  source: 'v4l2' | 'rpicam' = 'v4l2',
): ProofCase {
  return {
    name,
    range,
    source,
    format,
    known: 'bytes moved by hand',
    input: [
      '-f',
      'rawvideo',
      '-pixel_format',
      pixelFormat,
      '-video_size',
      `${size.width}x${size.height}`,
      '-framerate',
      '30',
    ],
    frame: (index: number) => {
      const sent = grain(bytes, index + 1, pixelFormat === 'gray10le' ? 10 : 8);
      return { sent, samples: order(sent) };
    },
  };
}

const asSent: Order = (sent) => sent;
const nv12: Order = (sent) => {
  const chroma = sent.subarray(luma);
  return Buffer.concat([sent.subarray(0, luma), pick(chroma, 2, 0), pick(chroma, 2, 1)]);
};

/** Every case. */
export const proofCases: readonly ProofCase[] = [
  jpeg('4:2:0', { luma: [2, 2] }),
  jpeg('4:2:2', { luma: [2, 1] }),
  jpeg('4:4:4', { luma: [1, 1] }),
  jpeg('4:4:0', { luma: [1, 2] }),
  jpeg('grey', { luma: [1, 1], grey: true }),
  jpeg('4:2:2 without Huffman tables', { luma: [2, 1], tables: false }),
  h264('4:2:0', { chroma: 1, bits: 8, range: 'limited' }),
  h264('4:2:0', { chroma: 1, bits: 8, range: 'full' }),
  h264('4:2:0, range not stated', { chroma: 1, bits: 8, range: null }),
  h264('4:2:0, from a USB camera', { chroma: 1, bits: 8, range: 'full' }, 'v4l2'),
  h264('4:2:2', { chroma: 2, bits: 8, range: 'full' }),
  h264('4:4:4', { chroma: 3, bits: 8, range: 'limited' }),
  h264('grey', { chroma: 0, bits: 8, range: 'full' }),
  h264('4:2:0, 10 bit', { chroma: 1, bits: 10, range: 'limited' }),
  h264('4:2:2, 10 bit', { chroma: 2, bits: 10, range: 'full' }),
  raw('YUYV 4:2:2', 'yuyv', 'limited', 'yuyv422', 2 * luma, packed422(0, 1, 3)),
  raw('YUYV 4:2:2', 'yuyv', 'full', 'yuyv422', 2 * luma, packed422(0, 1, 3)),
  raw('NV12 4:2:0', 'nv12', 'limited', 'nv12', 1.5 * luma, nv12),
  raw('NV12 4:2:0', 'nv12', 'full', 'nv12', 1.5 * luma, nv12),
  raw('planar 4:2:0 (camera module)', 'planar', 'full', 'yuv420p', 1.5 * luma, asSent, 'rpicam'),
  raw('planar 4:2:0 (test picture)', 'planar', 'limited', 'yuv420p', 1.5 * luma, asSent, 'rpicam'),
];

/**
 * Sends known samples through the commands of the product (capture, record, compress, verify) and compares the content of the
 * master with what was sent. Only the device is simulated: its bytes come from a file.
 */
export async function prove(
  one: ProofCase,
  strategy: MasterStrategy,
  mistaken?: RawStream['range'],
): Promise<Proof> {
  const folder = await mkdtemp(join(tmpdir(), 'lossless-'));
  await using host = new SpawningChildHost();
  try {
    const shown = Array.from({ length: proofFrames }, (_, index) => one.frame(index));
    const sent = join(folder, 'sent');
    await writeFile(sent, Buffer.concat(shown.map((frame) => frame.sent)));
    const pipe = join(folder, 'captured');
    const captured = await capture(one, sent, pipe);
    const raw = { ...captured, fps: 30, range: mistaken ?? captured.range };
    // A recorder's first frame does not belong to its take; a stream that needs its first frame keeps it.
    const expected = (raw.codec === 'h264' ? shown : shown.slice(1)).map(({ samples }) => samples);
    const frames = expected.length;
    const files = filesIn(folder);
    const settings = { codec: 'ffv1', raw, threads: 1 } as const;
    await program(recordArgv(pipe, files, strategy, settings));
    const never = new AbortController().signal;
    if (strategy === 'spool') {
      const range = await probedRange(host, 'range', files.spool, raw, never);
      const job = { ...settings, raw: { ...raw, range } };
      await program(transcodeArgv(files, job, { frames, timecode: '00:00:00:00' }));
    }
    await writeFrameRate(files.master, raw.fps);
    const asReceived = { codec: 'ffv1', sha256: null, clean: true } as const;
    const order = { host, name: 'verify', files, expected: asReceived, signal: never };
    const { ok, problems } = await verifyMaster(order);
    return { verified: ok, problems, ...(await kept(files.master, expected)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function filesIn(folder: string): SegmentFiles {
  const at = (name: string) => join(folder, name);
  return {
    master: at('0001.mkv'),
    spool: at('0001.raw.nut'),
    reference: at('0001.framemd5'),
    sensorLog: at('0001.sensor'),
    sensorTimes: at('0001.pts'),
  };
}

/** Runs the capture pipeline with the file instead of its device; its raw sink, without a pipe there, writes a file. */
async function capture(one: ProofCase, sent: string, pipe: string): Promise<RawStream> {
  const encoder = { encoder: one.format === 'h264' ? 'copy' : 'libx264', reason: 'test' } as const;
  const command = buildCapture(specOf(one), { rtpPort: 9, encoder, rawPipe: pipe });
  const facts = new StreamFactsReader();
  const { argv } = command;
  const { stderr } = await program(
    one.source === 'rpicam' ? await played(argv, sent) : withInput(argv, one, sent),
  );
  for (const line of stderr.split('\n')) facts.push(line);
  // A range that no stream carries was negotiated with the camera.
  const range = command.raw.codec === 'rawvideo' ? one.range : (facts.facts.range ?? command.raw.range);
  return { ...command.raw, range };
}

function specOf({ source, format }: ProofCase): SourceSpec {
  const encoded = { id: 'cam0', ...size, fps: 30, bitrateKbps: 500 };
  if (source === 'rtsp') return { kind: 'rtsp', id: 'cam0', url: 'rtsp://camera.invalid/1' };
  if (source === 'rpicam') return { ...encoded, kind: 'rpicam', camera: 0 };
  if (format === 'planar') throw new TypeError('only camera modules are planar');
  return { ...encoded, kind: 'v4l2', device: '/dev/video-none', format };
}

function withInput(argv: readonly string[], { input }: ProofCase, file: string): [string, ...string[]] {
  const prelude = ffmpegPrelude();
  const after = argv.slice(argv.indexOf('-i') + 2);
  return [...prelude, '-fflags', '+genpts', ...input, '-i', `file:${file}`, ...after] as [
    string,
    ...string[],
  ];
}

/** A program of rpicam-vid's name that delivers the file. */
async function played(
  [shell, flag, script = '']: readonly string[],
  file: string,
): Promise<[string, ...string[]]> {
  return [shell ?? 'bash', flag ?? '-c', `rpicam-vid() { cat '${file}'; }; ${script}`];
}

async function program([name, ...args]: readonly [string, ...string[]]): Promise<{
  readonly stderr: string;
}> {
  return await run(name, args, { maxBuffer: 16 * 1024 * 1024 });
}

/** The content of a master, read back as plain samples, and what it says about itself. */
async function kept(master: string, expected: readonly Buffer[]) {
  const plain = ['-v', 'error', '-i', master, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'];
  const { stdout } = await run('ffmpeg', plain, { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 });
  const bytes = expected[0]?.length ?? 1;
  const wrong = expected.flatMap((samples, index) => {
    return samples.equals(stdout.subarray(index * bytes, (index + 1) * bytes)) ? [] : [index];
  });
  const entries = 'stream=pix_fmt,color_range,avg_frame_rate';
  const facts = ['-v', 'error', '-show_entries', entries, '-of', 'csv=p=0', master];
  const [pixelFormat = '', range = '', rate = ''] = (await run('ffprobe', facts)).stdout.trim().split(',');
  return { wrong, frames: stdout.length / bytes, pixelFormat, range, rate };
}
