import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { camelCaseKeys } from '../../../common/camel-case.ts';
import { type Config, configSchema } from '../../config/schema.ts';
import type { Device } from '../../contract/index.ts';
import { captureMode, preferredMode } from './capture-mode.ts';
import {
  answerOffer,
  labelCamera,
  type ProxiedCameras,
  proxiedCamerasSchema,
  proxyDecision,
} from './proxy-decision.ts';

function camera(id: string, more: Partial<Device> = {}): Device {
  const sizes = [
    { width: 640, height: 480, fps: [30] },
    { width: 1280, height: 720, fps: [30, 15] },
  ];
  return {
    id,
    name: 'HD Pro Webcam C920',
    kind: 'v4l2',
    driver: 'uvcvideo',
    bus: 'usb-1',
    path: `/dev/${id}`,
    byId: null,
    byPath: null,
    serial: null,
    formats: [{ fourcc: 'MJPG', description: 'Motion-JPEG', compressed: true, sizes }],
    controls: [],
    busy: false,
    note: null,
    source: null,
    label: 'HD Pro Webcam C920',
    use: 'unused',
    ...more,
  };
}

const module = camera('libcamera-imx708', { kind: 'libcamera', name: 'imx708', path: null, formats: [] });

function config(adopt: 'ask' | 'auto' | 'never', source: readonly object[] = []): Config {
  return camelCaseKeys(configSchema, configSchema.parse({ devices: { adopt }, source }));
}

describe('proxyDecision', () => {
  test('auto: every camera becomes a feed, with a mode it delivers', () => {
    const { sources, sourceOf, offered } = proxyDecision([camera('a'), module], config('auto'), {});
    expect(sources).toMatchObject([
      {
        id: 'hd-pro-webcam-c920',
        kind: 'v4l2',
        device: 'a',
        format: 'mjpeg',
        width: 1280,
        height: 720,
        fps: 30,
      },
      { id: 'imx708', kind: 'rpicam', camera: 0, bitrateKbps: 6000 },
    ]);
    expect([...sourceOf]).toEqual([
      ['a', 'hd-pro-webcam-c920'],
      ['libcamera-imx708', 'imx708'],
    ]);
    expect(offered).toEqual([]);
  });

  test('ask: offered until somebody answers', () => {
    const devices = [camera('a'), camera('b')];
    const before = proxyDecision(devices, config('ask'), {});
    expect(before).toMatchObject({ sources: [], offered: ['a', 'b'] });
    const [first, second] = devices;
    if (first === undefined || second === undefined) throw new Error('two cameras expected');
    const yes = answerOffer({}, first, 'yes', config('ask'));
    const state = answerOffer(yes, second, 'no', config('ask'));
    const after = proxyDecision(devices, config('ask'), state);
    expect(after.sources.map(({ id }) => id)).toEqual(['hd-pro-webcam-c920']);
    expect(after.offered).toEqual([]);
  });

  test('never: only what the settings name', () => {
    const source = [{ id: 'stage', kind: 'v4l2', device: 'a' }];
    const { sources, offered, sourceOf } = proxyDecision(
      [camera('a'), camera('b')],
      config('never', source),
      {},
    );
    expect({ sources, offered, sourceOf: [...sourceOf] }).toEqual({
      sources: [],
      offered: [],
      sourceOf: [['a', 'stage']],
    });
  });

  test('a camera keeps its name, and no other gets it while it is unplugged', () => {
    const settings = config('auto');
    const { state } = proxyDecision([camera('a')], settings, {});
    const away = proxyDecision([camera('b')], settings, state);
    expect(away.sources.map(({ id }) => id)).toEqual(['hd-pro-webcam-c920-2']);
    const back = proxyDecision([camera('b'), camera('a')], settings, away.state);
    expect([...back.sourceOf]).toEqual([
      ['b', 'hd-pro-webcam-c920-2'],
      ['a', 'hd-pro-webcam-c920'],
    ]);
  });

  test('leaves cameras to their own source, by id, node or link; auto uses the rest', () => {
    const devices = [camera('a', { byId: '/dev/v4l/by-id/x' }), camera('b'), camera('c'), module];
    const settings = config('auto', [
      { id: 'any', kind: 'v4l2' },
      { id: 'by-link', kind: 'v4l2', device: '/dev/v4l/by-id/x' },
      { id: 'by-node', kind: 'v4l2', device: '/dev/b' },
      { id: 'module', kind: 'rpicam' },
    ]);
    const { sources, sourceOf } = proxyDecision(devices, settings, {});
    expect(sources).toEqual([]);
    expect(Object.fromEntries(sourceOf)).toEqual({
      a: 'by-link',
      b: 'by-node',
      c: 'any',
      'libcamera-imx708': 'module',
    });
  });

  test('a new display name changes neither the feed, the choice nor other cameras', () => {
    const settings = config('ask');
    const used = answerOffer({}, camera('a'), 'yes', settings);
    const named = labelCamera(used, camera('a'), 'Stage left', settings);
    expect(named).toEqual({ a: { feed: 'hd-pro-webcam-c920', label: 'Stage left', answer: 'yes' } });
    expect(proxyDecision([camera('a')], settings, named).sources).toMatchObject([{ label: 'Stage left' }]);
    const offered = labelCamera(named, camera('b'), 'Balcony', settings);
    expect(offered).toMatchObject({ b: { feed: 'hd-pro-webcam-c920-2', label: 'Balcony', answer: null } });
    expect(proxyDecision([camera('b')], settings, offered).offered).toEqual(['b']);
  });

  test('leaves out a camera that cannot be used now', () => {
    const silent = camera('a', { note: 'does not answer: busy' });
    expect(proxyDecision([silent], config('auto'), {})).toMatchObject({ sources: [], state: {} });
  });

  test('names are legal, unique and stable for any camera names', () => {
    const id = fc.oneof(
      fc.stringMatching(/^[a-z0-9:.@-]{1,20}$/),
      fc.constantFrom('constructor', 'toString'),
    );
    const devices = fc.uniqueArray(fc.record({ id, name: fc.string({ maxLength: 80 }) }), {
      selector: ({ id }) => id,
      maxLength: 8,
    });
    fc.assert(
      fc.property(devices, (named) => {
        const cameras = named.map(({ id, name }) => camera(id, { name }));
        const { sources, state } = proxyDecision(cameras, config('auto'), {});
        expect(new Set(sources.map(({ id }) => id)).size).toBe(cameras.length);
        const again = proxyDecision(cameras.toReversed(), config('auto'), state);
        const parsed: ProxiedCameras = proxiedCamerasSchema.parse(state);
        expect(again.state).toEqual(parsed);
      }),
    );
  });
});

describe('capture modes', () => {
  const sizes = [{ width: 1920, height: 1080, fps: [30] }];
  const mixed = camera('a', {
    formats: [
      {
        fourcc: 'YUYV',
        description: '',
        compressed: false,
        sizes: [{ width: 1920, height: 1080, fps: [5] }],
      },
      { fourcc: 'MJPG', description: '', compressed: true, sizes },
      {
        fourcc: 'H264',
        description: '',
        compressed: true,
        sizes: [{ width: 1280, height: 720, fps: [30, 60] }],
      },
    ],
  });

  test('prefer H.264 of the camera to a larger picture that must be encoded', () => {
    expect(preferredMode(mixed)).toMatchObject({ format: 'h264', width: 1280, height: 720, fps: 30 });
  });

  test('prefer a fluent picture to a larger slow one', () => {
    const slow = camera('a', { formats: mixed.formats.slice(0, 1) });
    expect(preferredMode(slow)).toMatchObject({ fps: 5, reason: 'the best this camera can, as YUYV' });
    const both = camera('a', { formats: [...mixed.formats.slice(0, 1), ...camera('b').formats] });
    expect(preferredMode(both)).toMatchObject({ format: 'mjpeg', width: 1280, height: 720 });
  });

  test.each([
    [{ format: 'auto', width: 1920, height: 1080, fps: 30 } as const, 'mjpeg', 30],
    [{ format: 'yuyv', width: 1920, height: 1080, fps: 30 } as const, 'yuyv', 5],
    [{ format: 'auto', width: 1280, height: 720, fps: 60 } as const, 'h264', 60],
  ])('%j', (wanted, format, fps) => {
    expect(captureMode(mixed, wanted)).toMatchObject({ format, fps });
  });

  test('say when the camera does not list the requested one', () => {
    const mode = captureMode(mixed, { format: 'auto', width: 3840, height: 2160, fps: 30 });
    expect(mode?.reason).toBe('the camera does not list 3840x2160; it may refuse it');
    expect(
      captureMode(camera('a', { formats: [] }), { format: 'auto', width: 1, height: 1, fps: 1 }),
    ).toBeNull();
  });
});
