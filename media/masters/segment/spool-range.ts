import type { ChildHost } from '../../../common/child-host.ts';
import type { RawStream } from '../../capture/types.ts';
import { endOfReader } from '../disk/reading-child.ts';
import { FfmpegError } from '../errors.ts';

/**
 * The range of a spool, as the stream itself says; uncompressed frames do not say, and have the range that their source
 * negotiated.
 * @throws FfmpegError if the file cannot be read, DiskSilentError
 */
export async function probedRange(
  host: ChildHost,
  name: string,
  file: string,
  raw: RawStream,
  signal: AbortSignal,
): Promise<RawStream['range']> {
  if (raw.codec === 'rawvideo') return raw.range;
  signal.throwIfAborted();
  const lines: string[] = [];
  const what = [
    '-select_streams',
    'v:0',
    '-show_entries',
    'stream=pix_fmt,color_range',
    '-of',
    'default=nw=1',
  ];
  const argv = ['ffprobe', '-v', 'error', '-fpsprobesize', '0', ...what, `file:${file}`] as const;
  const child = await host.spawn({ name, argv, stopTimeoutMs: 1000 }, ({ text }) => {
    if (lines.length < 20) lines.push(text);
  });
  const onAbort = () => void child.stop();
  signal.addEventListener('abort', onAbort, { once: true });
  const exit = await endOfReader(child, { file }).finally(() => signal.removeEventListener('abort', onAbort));
  signal.throwIfAborted();
  if (exit.code !== 0)
    throw new FfmpegError(`ended with ${exit.code ?? exit.signal}: ${lines.at(-1) ?? 'no word'}`);
  return statedRange(lines, raw);
}

/** Streams that do not say have the range of their standards. Pure. */
function statedRange(lines: readonly string[], raw: RawStream): RawStream['range'] {
  if (lines.some((line) => line === 'color_range=pc' || line.startsWith('pix_fmt=yuvj'))) return 'full';
  if (lines.includes('color_range=tv')) return 'limited';
  return raw.codec === 'mjpeg' ? 'full' : 'limited';
}
