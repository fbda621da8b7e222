import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { buildCapture, kindNamed, type SourceSpec, sourceKindNames } from './index.ts';

const size = { width: 1280, height: 720, fps: 30, bitrateKbps: 4000 };
const file = {
  kind: 'file',
  id: 'a',
  file: '/videos/a.mp4',
  identity: '1',
  pixelFormat: 'yuv420p',
  range: 'limited',
  ...size,
} as const;
const specs: readonly SourceSpec[] = [
  { kind: 'test', id: 'a', ...size },
  { kind: 'v4l2', id: 'a', ...size, device: '/dev/video0', format: 'mjpeg' },
  { kind: 'rtsp', id: 'a', url: 'rtsp://192.0.2.7/1' },
  { kind: 'rpicam', id: 'a', ...size, camera: 0 },
  { ...file, copies: true },
  { ...file, copies: false },
];

describe('a kind of source', () => {
  it.each(sourceKindNames)('%s: has the same name in the registry and in the settings', (name) => {
    const settings = kindNamed(name)?.settings;
    expect(settings?.shape.kind.value).toBe(name);
    expect(z.toJSONSchema(settings?.shape.kind ?? z.never()).description).toMatch(/\.$/);
  });

  it.each(specs)('$kind: has the clock and the codec that the kind declares', (spec) => {
    const targets = { rtpPort: 5004, rawPipe: '/x', encoder: { encoder: 'libx264', reason: '.' } } as const;
    const { raw } = buildCapture(spec, targets);
    const kind = kindNamed(spec.kind);
    expect(raw.clock).toBe(kind?.clock);
    const codecs = { h264: 'h264', jpeg: 'mjpeg', frames: 'rawvideo' } as const;
    expect(raw.codec).toBe(kind && codecs[kind.sends(spec)]);
  });

  it('every kind has a pipeline test', () => {
    expect(new Set(specs.map(({ kind }) => kind))).toEqual(new Set(sourceKindNames));
  });

  it('rejects an unknown name', () => {
    expect(kindNamed('toString')).toBeUndefined();
    expect(kindNamed('whep')).toBeUndefined();
  });
});
