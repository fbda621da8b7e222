/** ISO 8601 with microseconds of a time in seconds since 1970. */
export function isoMicroseconds(secondsSinceEpoch: number): string {
  const microseconds = Math.round(secondsSinceEpoch * 1e6);
  const fraction = ((microseconds % 1e6) + 1e6) % 1e6;
  const whole = new Date((microseconds - fraction) / 1e3).toISOString().slice(0, 19);
  return `${whole}.${`${fraction}`.padStart(6, '0')}Z`;
}

/** Seconds since 1970 of such a string, without losing its microseconds. */
export function secondsOfIso(iso: string): number {
  const [whole = '', fraction = ''] = iso.replace(/Z$/, '').split('.');
  return Date.parse(`${whole}Z`) / 1e3 + Number(`0.${fraction || '0'}`);
}

/** Non-drop timecode `HH:MM:SS:FF` of a wall-clock time (UTC). Rates above 99 count 99 frames at most. */
export function timecodeOf(secondsSinceEpoch: number, fps: number): string {
  const daySeconds = ((secondsSinceEpoch % 86_400) + 86_400) % 86_400;
  const whole = Math.floor(daySeconds);
  // A tiny amount is added, because 0.1 s of 30 fps must be frame 3 even after floating-point calculations.
  const frame = Math.min(Math.floor((daySeconds - whole) * fps + 1e-3), Math.ceil(fps) - 1, 99);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60, Math.max(0, frame)];
  return parts.map((part) => `${part}`.padStart(2, '0')).join(':');
}
