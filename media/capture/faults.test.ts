import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codecFaultOfLine, faultOfLine, moreTelling, redact } from './faults.ts';

describe('faultOfLine', () => {
  // Recorded from ffmpeg 5.1.9 (Debian 12).
  it.each([
    [
      '[video4linux2,v4l2 @ 0x5596ef88d8c0] [error] Cannot open video device /dev/video9: No such file or directory',
      'device-missing',
    ],
    ['[error] /dev/video9: No such file or directory', 'device-missing'],
    [
      '[video4linux2,v4l2 @ 0x56269ded98c0] [error] ioctl(VIDIOC_QUERYCAP): Inappropriate ioctl for device',
      'format-not-supported',
    ],
    [
      '[tcp @ 0x55cdc762e840] [error] Connection to tcp://127.0.0.1:1?timeout=1000000 failed: Connection refused',
      'connection-refused',
    ],
    [
      '[tcp @ 0x558b32c8c840] [error] Failed to resolve hostname nohost.invalid: Name or service not known',
      'host-unreachable',
    ],
    ['[rtsp @ 0x56415d832980] [error] method DESCRIBE failed: 401 Unauthorized', 'unauthorized'],
    [
      '[error] rtsp://***@127.0.0.1:18554/x: Server returned 401 Unauthorized (authorization failed)',
      'unauthorized',
    ],
    ['[rtsp @ 0x556e75d93980] [error] method DESCRIBE failed: 404 Not Found', 'not-found'],
    ['[error] rtsp://***@127.0.0.1:18554/x: Server returned 403 Forbidden (access denied)', 'unauthorized'],
  ])('%s', (line, code) => {
    expect(faultOfLine(line)?.code).toBe(code);
  });

  // Built from the messages in the sources of ffmpeg, libcamera and rpicam-apps; not recorded, as the hardware is missing here.
  it.each([
    ['[fatal] /dev/video0: Device or resource busy', 'device-busy'],
    ['[video4linux2,v4l2 @ 0x5581] [error] ioctl(VIDIOC_DQBUF): No such device', 'device-unplugged'],
    ['ERROR: *** no cameras available ***', 'no-camera'],
    ['ERROR V4L2 v4l2_videodevice.cpp:2095 /dev/video4[16:cap]: Camera frontend has timed out!', 'timed-out'],
    ['bash: line 1: rpicam-vid: command not found', 'program-missing'],
  ])('%s', (line, code) => {
    expect(faultOfLine(line)?.code).toBe(code);
  });

  it('names the codec of a network camera that sends another one', () => {
    const line = '[info]   Stream #0:0: Video: hevc (Main), yuv420p(tv), 1920x1080, 25 fps, 25 tbr, 90k tbn';
    expect(codecFaultOfLine(line)?.words).toBe(
      'The camera sends H.265, which is not passed on. Set its encoder to H.264.',
    );
    expect(codecFaultOfLine(line.replace('hevc (Main)', 'mjpeg'))?.words).toContain('MJPEG');
    expect(codecFaultOfLine(line.replace('hevc (Main)', 'h264 (High)'))).toBeUndefined();
    expect(codecFaultOfLine('[info]   Stream #0:1: Audio: pcm_alaw, 8000 Hz')).toBeUndefined();
  });

  it('names none where there is none, and never throws', () => {
    expect(faultOfLine('[info] Stream mapping:')).toBeUndefined();
    fc.assert(fc.property(fc.string(), (line) => void faultOfLine(line)));
  });

  it('keeps the more telling of two', () => {
    const busy = faultOfLine('Device or resource busy');
    const denied = faultOfLine('Permission denied');
    expect(moreTelling(denied, busy)).toBe(busy);
    expect(moreTelling(busy, denied)).toBe(busy);
    expect(moreTelling(undefined, denied)).toBe(denied);
  });
});

describe('redact', () => {
  it('hides user and password of any URL', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9:%!$&'()*+,;=._~-]{4,20}$/);
    fc.assert(
      fc.property(secret, (password) => {
        const line = redact(`[error] rtsp://me:Q${password}Q@192.0.2.7/1: 401 Unauthorized`);
        expect(line).not.toContain(`Q${password}Q`);
        expect(line).toContain('rtsp://***@192.0.2.7/1');
      }),
    );
  });
});
