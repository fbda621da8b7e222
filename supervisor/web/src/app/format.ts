const noValue = '–';

/** `3 d 4 h`, `2 h 05 min`, `12 min`, `40 s`. */
export const formatSpan = (seconds: number | null): string => {
  if (seconds === null || !Number.isFinite(seconds)) return noValue;
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  if (minutes > 0) return `${minutes} min`;
  return `${whole} s`;
};

/** An estimate, no more exact than it can be: `less than 10 s`, `about 40 s`, `about 2 min`, `about 1 h 05 min`. */
export const formatLeft = (seconds: number): string => {
  if (seconds < 10) return 'less than 10 s';
  if (seconds < 60) return `about ${Math.ceil(seconds / 10) * 10} s`;
  return `about ${formatSpan(Math.ceil(seconds / 60) * 60)}`;
};

/** `0:07`, `12:34`, `1:02:03`, as on a camera's counter. */
export const formatCounter = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds));
  const ss = String(whole % 60).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${ss}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${ss}`;
};

/** `850 kbit/s`, `6.0 Mbit/s`; a dash for null. */
export const formatBitrate = (kbps: number | null): string => {
  if (kbps === null) return noValue;
  return kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbit/s` : `${Math.round(kbps)} kbit/s`;
};

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Decimal units, as disks are sold. */
export const formatBytes = (bytes: number | null): string => {
  if (bytes === null || !Number.isFinite(bytes)) return noValue;
  let value = Math.max(0, bytes);
  let unit = 0;
  // 999.5 would round up to 1000 of the smaller unit.
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${byteUnits[unit]}`;
};

/** Two digits of fraction say more than the eye can use; NTSC rates keep theirs. */
export const formatFps = (fps: number | null): string =>
  fps === null ? noValue : `${Number.isInteger(fps) ? fps : fps.toFixed(fps < 10 ? 1 : 0)} fps`;

/** `1920×1080`; a dash for null. */
export const formatSize = (width: number | null, height: number | null): string =>
  width === null || height === null ? noValue : `${width}×${height}`;

/** `12 ms`, `1.2 s`; a dash for null. */
export const formatMs = (ms: number | null): string => {
  if (ms === null) return noValue;
  if (ms >= 10_000) return formatSpan(ms / 1000);
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
};

/** How far another clock is off, and how certain that is: `3 ms ahead, ± 1 ms`. */
export const formatOffset = (offsetMs: number | null, uncertaintyMs: number | null): string => {
  if (offsetMs === null) return noValue;
  const bound = uncertaintyMs === null ? '' : `, ± ${formatMs(uncertaintyMs)}`;
  if (offsetMs === 0) return `in step${bound}`;
  return `${formatMs(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead' : 'behind'}${bound}`;
};

/** A share from 0 to 1 in percent; a dash for null. */
export const formatPercent = (ratio: number | null): string =>
  ratio === null ? noValue : `${(ratio * 100).toFixed(ratio > 0 && ratio < 0.1 ? 1 : 0)} %`;

const codecNames: readonly (readonly [prefix: string, name: string])[] = [
  ['avc1', 'H.264'],
  ['avc3', 'H.264'],
  ['hvc1', 'H.265'],
  ['hev1', 'H.265'],
  ['av01', 'AV1'],
  ['vp09', 'VP9'],
  ['vp8', 'VP8'],
  ['mjpeg', 'MJPEG'],
  ['opus', 'Opus'],
  ['mp4a', 'AAC'],
];

const avcProfiles: Readonly<Record<string, string>> = {
  '42': 'Baseline',
  '4d': 'Main',
  '58': 'Extended',
  '64': 'High',
};

/** Reads an RFC 6381 codec string: `avc1.42e01f` → `H.264 Baseline 3.1`. Unknown ones stay unchanged. */
export const formatCodec = (codec: string | null): string => {
  if (codec === null) return noValue;
  const lower = codec.toLowerCase();
  const known = codecNames.find(([prefix]) => lower.startsWith(prefix));
  if (known === undefined) return codec;
  const avc = /^avc[13]\.([0-9a-f]{2})[0-9a-f]{2}([0-9a-f]{2})$/.exec(lower);
  if (avc === null) return known[1];
  const profile = avcProfiles[avc[1] ?? ''];
  const level = (Number.parseInt(avc[2] ?? '0', 16) / 10).toFixed(1);
  return profile === undefined ? `${known[1]} ${level}` : `${known[1]} ${profile} ${level}`;
};

/** `1 camera`, `3 cameras`. */
export const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Local date and time of an instant. Invalid input stays unchanged. */
export const formatInstant = (instant: string, locale?: string): string => {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return instant;
  return date.toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'medium' });
};
