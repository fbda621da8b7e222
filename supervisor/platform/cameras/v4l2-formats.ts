import type { DeviceFormat } from '../../contract/index.ts';

type Size = DeviceFormat['sizes'][number];

const formatLine = /^\s*\[\d+\]: '(.{4})(?:-BE)?' \((.*)\)\s*$/;
const sizeLine =
  /^\s*Size: (Discrete|Stepwise|Continuous) (\d+)x(\d+)(?: - (\d+)x(\d+))?(?: with step (\d+)\/(\d+))?/;
const intervalLine =
  /^\s*Interval: (Discrete|Stepwise|Continuous) ([\d.]+)s(?: - ([\d.]+)s)?.*?(?:\(([\d.]+) fps\))?\s*$/;

/** Sizes and rates that are offered if a driver names a range instead of a list. */
const commonSizes = [
  [320, 240],
  [640, 360],
  [640, 480],
  [1024, 576],
  [1280, 720],
  [1280, 960],
  [1920, 1080],
  [2560, 1440],
  [3840, 2160],
] as const;
const commonRates = [5, 10, 15, 20, 24, 25, 30, 50, 60, 90, 120];

/** Reads what `v4l2-ctl --list-formats-ext` prints (v4l-utils 1.18 to 1.30). Capture formats only. */
export function parseFormats(text: string): DeviceFormat[] {
  const formats: DeviceFormat[] = [];
  let sizes: Size[] = [];
  let capture = true;
  for (const line of text.split('\n')) {
    const type = /^\s*Type: (.*)$/.exec(line);
    if (type !== null) capture = /^Video Capture( Multiplanar)?$/.test((type[1] ?? '').trim());
    if (!capture) continue;
    const format = formatLine.exec(line);
    if (format !== null) {
      formats.push(readFormat(format[1] ?? '', format[2] ?? ''));
      sizes = [];
      continue;
    }
    const size = sizeLine.exec(line);
    if (size !== null) {
      sizes = readSizes(size);
      formats.at(-1)?.sizes.push(...sizes);
      continue;
    }
    const interval = intervalLine.exec(line);
    if (interval !== null) for (const open of sizes) addRates(open, interval);
  }
  return formats;
}

function readFormat(fourcc: string, words: string): DeviceFormat {
  const description = words.replace(/, (?:compressed|emulated)/g, '');
  return { fourcc, description, compressed: words.includes(', compressed'), sizes: [] };
}

function readSizes(match: RegExpExecArray): Size[] {
  const [width = 0, height = 0, maxWidth = 0, maxHeight = 0] = match.slice(2, 6).map(Number);
  if (match[1] === 'Discrete') return [{ width, height, fps: [] }];
  const stepX = Number(match[6] ?? 1) || 1;
  const stepY = Number(match[7] ?? 1) || 1;
  return commonSizes
    .filter(([x, y]) => x >= width && x <= maxWidth && y >= height && y <= maxHeight)
    .filter(([x, y]) => (x - width) % stepX === 0 && (y - height) % stepY === 0)
    .map(([x, y]) => ({ width: x, height: y, fps: [] }));
}

function addRates(size: Size, match: RegExpExecArray): void {
  if (match[1] === 'Discrete') {
    const fps = Number(match[4] ?? 0) || rounded(1 / Number(match[2]));
    if (Number.isFinite(fps) && fps > 0 && !size.fps.includes(fps)) size.fps.push(fps);
    return;
  }
  const fastest = 1 / Number(match[2]);
  const slowest = 1 / Number(match[3] ?? match[2]);
  // Intervals are printed in milliseconds: 60 fps is 0.017 s, so the bounds get a tolerance of 3 %.
  const rates = commonRates.filter((fps) => fps <= fastest * 1.03 && fps >= slowest * 0.97);
  for (const fps of rates) if (!size.fps.includes(fps)) size.fps.push(fps);
}

function rounded(fps: number): number {
  return Math.round(fps * 1000) / 1000;
}
