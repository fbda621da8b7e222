import { describe, expect, it } from 'vitest';
import { chooseEncoder } from './encoder-choice.ts';
import { SourceSpecError } from './errors.ts';
import { buildCapture, type SourceSpec } from './kinds/index.ts';
import type { CaptureTargets } from './types.ts';

const size = { width: 1280, height: 720, fps: 30, bitrateKbps: 4000 } as const;
const targets: CaptureTargets = {
  rtpPort: 5004,
  rawPipe: '/run/rushlight/cam0.raw',
  encoder: { encoder: 'libx264', reason: 'because' },
};
const pictures: CaptureTargets = {
  ...targets,
  encoder: { encoder: 'mjpeg', reason: 'no encoder' },
  picturesSocket: '/run/rushlight/cam0.jpeg',
};
const hardware: CaptureTargets = { ...targets, encoder: { encoder: 'h264_v4l2m2m', reason: 'it is there' } };

const small: CaptureTargets = {
  ...targets,
  small: { width: 640, everyNth: 2, fps: 30, bitrateKbps: 300, rtpPort: 5006 },
};

const file = {
  kind: 'file',
  id: 'cam0',
  file: "/videos/it's.mp4",
  identity: '1:2:3:4',
  pixelFormat: 'yuv422p',
  range: 'limited',
  ...size,
} as const;

describe('buildCapture', () => {
  const kinds: readonly (readonly [string, SourceSpec, CaptureTargets])[] = [
    ['test', { kind: 'test', id: 'cam0', ...size }, targets],
    ['test with a clock', { kind: 'test', id: 'cam0', ...size, fontFile: '/fonts/mono.ttf' }, targets],
    ['v4l2 mjpeg', { kind: 'v4l2', id: 'cam0', ...size, device: '/dev/video0', format: 'mjpeg' }, targets],
    ['v4l2 yuyv', { kind: 'v4l2', id: 'cam0', ...size, device: '/dev/video0', format: 'yuyv' }, hardware],
    ['v4l2 h264', { kind: 'v4l2', id: 'cam0', ...size, device: '/dev/video2', format: 'h264' }, targets],
    ['test as pictures', { kind: 'test', id: 'cam0', ...size }, pictures],
    [
      'v4l2 mjpeg as pictures',
      { kind: 'v4l2', id: 'cam0', ...size, device: '/dev/video0', format: 'mjpeg' },
      pictures,
    ],
    [
      'v4l2 yuyv as pictures',
      { kind: 'v4l2', id: 'cam0', ...size, device: '/dev/video0', format: 'yuyv' },
      pictures,
    ],
    ['rpicam as pictures', { kind: 'rpicam', id: 'cam0', ...size, camera: 0 }, pictures],
    [
      'rtsp',
      { kind: 'rtsp', id: 'cam0', url: 'rtsp://192.0.2.7/1', username: 'me', password: 'p/w' },
      targets,
    ],
    [
      'rpicam',
      { kind: 'rpicam', id: 'cam0', ...size, camera: 1, hflip: true, roi: [0, 0, 0.5, 0.5] },
      hardware,
    ],
    ['file, copied', { ...file, copies: true }, { ...targets, encoder: { encoder: 'copy', reason: '.' } }],
    ['file, H.265, copied', { ...file, copies: true, list: '/run/rushlight/cam0.ffconcat' }, targets],
    ['file, encoded', { ...file, copies: false }, targets],
    ['file as pictures', { ...file, copies: false }, pictures],
    ['test, and small', { kind: 'test', id: 'cam0', ...size }, small],
    [
      'v4l2 mjpeg, and small',
      { kind: 'v4l2', id: 'cam0', ...size, device: '/dev/video0', format: 'mjpeg' },
      small,
    ],
    [
      'v4l2 h264, and small',
      { kind: 'v4l2', id: 'cam0', ...size, device: '/dev/video2', format: 'h264' },
      small,
    ],
    [
      'rpicam, and small',
      { kind: 'rpicam', id: 'cam0', ...size, camera: 0 },
      { ...small, encoder: hardware.encoder },
    ],
    ['file, copied, and small', { ...file, copies: true }, small],
    ['file, encoded, and small', { ...file, copies: false }, small],
    ['rpicam, padded rows', { kind: 'rpicam', id: 'cam0', ...size, width: 1300, camera: 0 }, hardware],
  ];

  it.each(kinds)('builds the pipeline of %s', (_name, source, to) => {
    expect(buildCapture(source, to)).toMatchSnapshot();
  });

  it('omits the raw sink if nobody may record', () => {
    const { rawPipe: _unused, ...live } = targets;
    const { argv } = buildCapture({ kind: 'test', id: 'cam0', ...size }, live);
    expect(argv).not.toContain('fifo');
    expect(argv.filter((arg) => arg === '-map')).toHaveLength(1);
  });

  it('never lets an argument of a camera module escape its quotes', () => {
    const source = {
      kind: 'rpicam',
      id: 'cam0',
      ...size,
      camera: 0,
      tuningFile: "/a'; reboot; '.json",
    } as const;
    const { argv } = buildCapture(source, targets);
    expect(argv[2]).toContain(`'/a'\\''; reboot; '\\''.json'`);
  });

  it('rejects pictures without a destination', () => {
    const { picturesSocket: _unused, ...nowhere } = pictures;
    expect(() => buildCapture({ kind: 'test', id: 'cam0', ...size }, nowhere)).toThrow(SourceSpecError);
  });

  it('passes a password of special characters whole and rejects one that would be cut', () => {
    const source = { kind: 'rtsp', id: 'cam0', url: 'rtsp://192.0.2.7/1', username: 'me' } as const;
    const address = (password: string) => {
      const { argv } = buildCapture({ ...source, password }, targets);
      return argv[argv.indexOf('-i') + 1];
    };
    expect(address('a/b@c:d#%e')).toBe('rtsp://me:a%2Fb%40c%3Ad%23%25e@192.0.2.7/1');
    expect(address('$&+,;=!'.repeat(10))).toContain(`me:${'$&+,;=!'.repeat(10)}@`);
    expect(() => address('#'.repeat(43))).toThrow(/too long together/);
  });

  it('rejects an invalid address', () => {
    const source = { kind: 'rtsp', id: 'cam0', url: 'http://192.0.2.7/' } as const;
    expect(() => buildCapture(source, targets)).toThrow(SourceSpecError);
  });
});

describe('chooseEncoder', () => {
  const hd = { width: 1920, height: 1080, cameraSendsH264: false };

  it.each([
    [{ ...hd, cameraSendsH264: true, hardwareEncoder: '/dev/video11' }, 'copy'],
    [{ ...hd, hardwareEncoder: '/dev/video11' }, 'h264_v4l2m2m'],
    [{ ...hd, width: 2560, hardwareEncoder: '/dev/video11' }, 'libx264'],
    [hd, 'libx264'],
  ])('%o → %s', (facts, encoder) => {
    expect(chooseEncoder(facts)).toMatchObject({ encoder, reason: expect.stringMatching(/\.$/) });
  });
});
