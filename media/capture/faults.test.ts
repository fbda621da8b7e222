import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultOfLine, moreTelling, redact } from './faults.ts';

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

  // Built from the messages of ffmpeg and of the kernel's drivers.
  it.each([
    ['[video4linux2,v4l2 @ 0x55] [error] ioctl(VIDIOC_STREAMON): No space left on device', 'bus-full'],
    ["[fatal] Stream map '0:v:0' matches no streams.", 'no-video'],
    ['[rtsp @ 0x55] [error] method SETUP failed: 461 Unsupported transport', 'format-not-supported'],
    ['[rtsp @ 0x55] [error] method PLAY failed: 454 Session Not Found', 'ended'],
    ['[rtsp @ 0x55] [error] method DESCRIBE failed: 503 Service Unavailable', 'busy-server'],
    ['[rtsp @ 0x55] [error] method SETUP failed: 453 Not Enough Bandwidth', 'busy-server'],
    // ffmpeg 7.1
    ['[rtsp @ 0x55] [error] method SETUP failed: 461Unsupported transport', 'format-not-supported'],
    ['[rtsp @ 0x55] [error] method PLAY failed: 454Session Not Found', 'ended'],
    ['[rtsp @ 0x55] [error] method SETUP failed: 453Not Enough Bandwidth', 'busy-server'],
    ['[rtsp @ 0x55] [error] method DESCRIBE failed: 401Unauthorized', 'unauthorized'],
    ['usb 1-1: Not enough bandwidth for new device state.', 'bus-full'],
    ['[video4linux2,v4l2 @ 0x55] [error] ioctl(VIDIOC_STREAMON): Protocol error', 'device-unplugged'],
    [
      '[rtsp @ 0x55] [warning] Could not find codec parameters for stream 0 (Video: h264, none): unspecified size',
      'codec-not-supported',
    ],
  ])('%s', (line, code) => {
    expect(faultOfLine(line)?.code).toBe(code);
  });

  it('does not mistake a full disk for a full USB bus', () => {
    expect(faultOfLine('[error] av_interleaved_write_frame(): No space left on device')).toBeUndefined();
  });

  it('finds no fault in other lines and never throws', () => {
    expect(faultOfLine('[info] Stream mapping:')).toBeUndefined();
    fc.assert(fc.property(fc.string(), (line) => void faultOfLine(line)));
  });

  it('keeps the more informative of two', () => {
    const busy = faultOfLine('Device or resource busy');
    const denied = faultOfLine('Permission denied');
    expect(moreTelling(denied, busy)).toBe(busy);
    expect(moreTelling(busy, denied)).toBe(busy);
    expect(moreTelling(undefined, denied)).toBe(denied);
  });
});

describe('redact', () => {
  it('hides user and password in any URL', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9:%!$&'()*+,;=._~-]{4,20}$/);
    fc.assert(
      fc.property(secret, (password) => {
        const line = redact(`[error] rtsp://me:Q${password}Q@192.0.2.7/1: 401 Unauthorized`);
        expect(line).not.toContain(`Q${password}Q`);
        expect(line).toContain('rtsp://***@192.0.2.7/1');
      }),
    );
  });

  it('also hides them in a path or query, and behind a second @', () => {
    const line = redact(
      '[error] rtsp://10.0.0.2:554/user=admin&password=secret&channel=1&stream=0.sdp: 404 Not Found',
    );
    expect(line).toBe(
      '[error] rtsp://10.0.0.2:554/user=***&password=***&channel=1&stream=0.sdp: 404 Not Found',
    );
    expect(redact('rtsp://a:p@ss@host/1')).toBe('rtsp://***@host/1');
    expect(redact('rtsp://host/1?token=abc&PWD=def')).toBe('rtsp://host/1?token=***&PWD=***');
    expect(redact('key=value, but no address')).toBe('key=value, but no address');
  });
});
