import { closeSync, openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * Simulates `rpicam-vid --codec yuv420 --output -`: planar frames with padded rows on standard output, and with `--save-pts` a
 * line per frame in a plain file, written after the frame, like rpicam-apps' Output::OutputReady. The first four samples of a
 * frame are its number at the sensor. SIGUSR1 freezes the sensor: frames stop, the process lives. `FAKE_SENSOR_SKIPS=20,21/40`:
 * of each 40 frames of the sensor, the 20th and 21st are never delivered.
 */
const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { width: text, height: text, framerate: text, 'save-pts': text },
  strict: false,
  allowPositionals: true,
});
const numberOf = (name: string): number => Number(values[name]);
const [width, height, fps] = [numberOf('width'), numberOf('height'), numberOf('framerate')];
const [skips = '', every = '1'] = (process.env.FAKE_SENSOR_SKIPS ?? '').split('/');
const skipped = new Set(skips.split(',').filter(Boolean).map(Number));

const stride = Math.ceil(width / 64) * 64;
const frame = Buffer.alloc((stride * height * 3) / 2, 0x80);
const ptsFile = typeof values['save-pts'] === 'string' ? openSync(values['save-pts'], 'w') : undefined;
if (ptsFile !== undefined) writeSync(ptsFile, '# timecode format v2\n');

let frozen = false;
process.on('SIGUSR1', () => {
  frozen = true;
});
process.on('SIGTERM', () => {
  if (ptsFile !== undefined) closeSync(ptsFile);
  process.exit(0);
});

const startedMs = performance.now();
let [position, first] = [0, -1];
setInterval(() => {
  // A sensor continues even if its frames are not fetched.
  while (position <= ((performance.now() - startedMs) * fps) / 1e3) {
    if (!frozen && !skipped.has(position % Number(every))) deliver(position);
    position += 1;
  }
}, 1);

function deliver(number: number): void {
  if (first < 0) first = number;
  frame.fill((number * 7) & 0xff, stride, 4 * stride);
  frame.writeUInt32BE(number, 0);
  for (let at = 0; at < frame.length; ) at += writeSync(1, frame, at);
  const us = Math.round(((number - first) * 1e6) / fps);
  const line = `${Math.floor(us / 1e3)}.${`${us % 1e3}`.padStart(3, '0')}\n`;
  if (ptsFile !== undefined) writeSync(ptsFile, line);
}
