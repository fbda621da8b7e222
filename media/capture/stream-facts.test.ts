import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codecFault } from './faults.ts';
import { negotiatedRange, StreamFactsReader } from './stream-facts.ts';

function read(...lines: string[]) {
  const reader = new StreamFactsReader();
  for (const line of lines) reader.push(line);
  return reader.facts;
}

describe('what a pipeline reports about its input', () => {
  // Recorded from ffmpeg 5.1 and 7.1.
  it.each([
    [
      '[info]   Stream #0:0: Video: mjpeg (Baseline) (MJPG / 0x47504A4D), yuvj422p(pc, bt470bg/unknown/unknown), 1280x720, 30 fps, 30 tbr, 1000k tbn',
      { codec: 'mjpeg', range: 'full', width: 1280, height: 720, fps: 30 },
    ],
    [
      '[info]   Stream #0:0: Video: h264 (High), yuv420p(tv, bt709, progressive), 1920x1080 [SAR 1:1 DAR 16:9], 12.50 fps, 12.50 tbr, 90k tbn',
      { codec: 'h264', range: 'limited', width: 1920, height: 1080, fps: 12.5 },
    ],
    [
      '[info]   Stream #0:0: Video: h264 (High) (H264 / 0x34363248), yuvj420p(pc, bt709), 64x48, 60 fps, 60 tbr, 1200k tbn',
      { codec: 'h264', range: 'full', fps: 60 },
    ],
    [
      '[info]   Stream #0:0: Video: h264 (Constrained Baseline), yuv420p(progressive), 640x360, 90k tbr, 90k tbn',
      { codec: 'h264', range: 'limited', width: 640 },
    ],
    [
      '[info]   Stream #0:0: Video: hevc (Main), yuv420p(tv), 1920x1080, 25 fps, 25 tbr, 90k tbn',
      { codec: 'hevc' },
    ],
    [
      '[info]   Stream #0:0: Video: rawvideo (YUY2 / 0x32595559), yuyv422, 640x480, 30 fps',
      { codec: 'rawvideo', fps: 30 },
    ],
  ])('%s', (line, facts) => {
    expect(read('[info] Input #0, video4linux2,v4l2, from …:', line)).toMatchObject(facts);
  });

  it('is not taken from its report about the output', () => {
    const output = '[info]   Stream #0:0: Video: h264, yuv420p(pc, progressive), 64x48, q=2-31, 30 fps';
    expect(read('[info] Input #0, nut, from x:', '[info] Stream mapping:', output)).toEqual({});
    expect(read('[info] Output #0, rtp, to x:', output)).toEqual({});
    expect(read('Input #0', '  Stream #0:0: Video: rawvideo, yuyv422, 64x48')).not.toHaveProperty('range');
  });

  // As libcamera 0.5 prints it; not recorded on hardware.
  it('takes the range of a camera module from libcamera', () => {
    const line = 'INFO Camera camera.cpp:1215 configuring streams: (0) 1920x1080-YUV420';
    expect(read(`${line}/sYCC (1) 2304x1296-SBGGR10_CSI2P/RAW`).range).toBe('full');
    expect(read(`${line}/Rec709`).range).toBe('limited');
    expect(read(`${line}/Rec709/Rec709/Rec601/Full`).range).toBe('full');
  });

  it('never throws', () => {
    const reader = new StreamFactsReader();
    reader.push('Input #0');
    fc.assert(fc.property(fc.string(), (text) => void reader.push(`Stream #0:0: Video: h264${text}`)));
  });

  it('names the codec that arrived', () => {
    expect(codecFault('h264', 'hevc')?.words).toBe('The camera sends H.265 (HEVC). Set it to H.264.');
    expect(codecFault('h264', 'mjpeg')?.words).toContain('motion JPEG');
    for (const came of ['h264', 'none', undefined]) expect(codecFault('h264', came)).toBeUndefined();
    expect(codecFault('rawvideo', 'wrapped_avframe')).toBeUndefined();
  });
});

describe('the range negotiated with a V4L2 device', () => {
  it('is read from the output of v4l2-ctl', () => {
    const text = (quantization: string) =>
      `Format Video Capture:\n\tColorspace        : sRGB\n\tQuantization      : ${quantization}\n`;
    expect(negotiatedRange(text('Default (maps to Limited Range)'))).toBe('limited');
    expect(negotiatedRange(text('Default (maps to Full Range)'))).toBe('full');
    expect(negotiatedRange(text('Full Range'))).toBe('full');
    expect(negotiatedRange('Cannot open device')).toBeUndefined();
  });
});
