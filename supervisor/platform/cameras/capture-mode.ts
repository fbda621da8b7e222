import type { Device, DeviceFormat } from '../../contract/index.ts';

/** Formats in which a V4L2 source can be captured, by the settings' names. */
const captureFormats = { h264: 'H264', mjpeg: 'MJPG', yuyv: 'YUYV', nv12: 'NV12' } as const;
/** See {@link captureFormats}. */
export type CaptureFormat = keyof typeof captureFormats;

/** Format, size in pixels and rate in frames per second that a pipeline asks for. */
export interface CaptureMode {
  readonly format: CaptureFormat;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Why this mode, for people. */
  readonly reason: string;
}

/** What the settings ask for. */
export interface WantedMode {
  readonly format: CaptureFormat | 'auto';
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

interface Offer {
  readonly format: CaptureFormat;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

const preferred = { width: 1920, height: 1080, fps: 30 };
/** Below this rate a picture does not count as live, in frames per second. */
const leastFps = 24;
/** First formats that are copied, then those that are cheap on the bus, then uncompressed ones. */
const order: readonly CaptureFormat[] = ['h264', 'mjpeg', 'nv12', 'yuyv'];

/**
 * Mode of a camera without settings: the largest picture up to 1920x1080 that it delivers fluently, as H.264 if it can. Null if
 * it offers nothing that can be captured.
 */
export function preferredMode(device: Device): CaptureMode | null {
  const offers = offersOf(device.formats).filter(fits);
  const fluent = offers.filter(({ fps }) => fps >= leastFps);
  const best = (fluent.length > 0 ? fluent : offers).toSorted(byPreference)[0];
  if (best === undefined) return null;
  const why =
    fluent.length > 0 ? 'the largest picture this camera delivers fluently' : 'the best this camera can';
  return { ...best, reason: `${why}, as ${captureFormats[best.format]}` };
}

/**
 * Finds the format and the rate for a source's settings. A size or a rate that the camera does not list is requested anyway
 * (drivers take the nearest), and the reason says so.
 */
export function captureMode(device: Device, wanted: WantedMode): CaptureMode | null {
  const offers = offersOf(device.formats).filter(
    ({ format }) => wanted.format === 'auto' || format === wanted.format,
  );
  const sized = offers.filter(({ width, height }) => width === wanted.width && height === wanted.height);
  const timed = sized.filter(({ fps }) => Math.abs(fps - wanted.fps) < 0.01 * wanted.fps);
  const found = timed[0] ?? sized.toSorted((a, b) => nearer(a.fps, b.fps, wanted.fps))[0];
  if (found !== undefined) {
    const reason =
      timed.length > 0
        ? `the camera offers this size and rate as ${captureFormats[found.format]}`
        : `the camera offers this size at ${found.fps} fps as ${captureFormats[found.format]}`;
    return { ...found, reason };
  }
  const format = offers[0]?.format ?? (wanted.format === 'auto' ? null : wanted.format);
  if (format === null) return null;
  const { width, height, fps } = wanted;
  return {
    format,
    width,
    height,
    fps,
    reason: `the camera does not list ${width}x${height}; it may refuse it`,
  };
}

function offersOf(formats: readonly DeviceFormat[]): Offer[] {
  return order.flatMap((format) =>
    formats
      .filter(({ fourcc }) => fourcc === captureFormats[format])
      .flatMap(({ sizes }) => sizes)
      .flatMap(({ width, height, fps }) => {
        // A driver that lists no rates delivers the requested one as far as it can.
        const rates = fps.length === 0 ? [preferred.fps] : fps;
        return rates.map((rate) => ({ format, width, height, fps: rate }));
      }),
  );
}

function fits({ width, height, fps }: Offer): boolean {
  return width <= preferred.width && height <= preferred.height && fps <= preferred.fps;
}

function byPreference(a: Offer, b: Offer): number {
  const pixels = b.width * b.height - a.width * a.height;
  // Copying beats a somewhat larger picture that must be encoded.
  if (a.format === 'h264' && b.format !== 'h264' && a.height >= 720) return -1;
  if (b.format === 'h264' && a.format !== 'h264' && b.height >= 720) return 1;
  return pixels || b.fps - a.fps || order.indexOf(a.format) - order.indexOf(b.format);
}

function nearer(a: number, b: number, wanted: number): number {
  return Math.abs(a - wanted) - Math.abs(b - wanted);
}
