import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { deviceSchema } from '../../contract/index.ts';
import { CameraEnumerator } from './camera-enumerator.ts';
import { FixtureMachine } from './fixture-machine.fake.ts';

const log = pino({ level: 'silent' });

async function open(name: string) {
  const machine = await new FixtureMachine(name).open();
  const enumerator = new CameraEnumerator({ log, run: machine.run, roots: machine.roots });
  return { machine, enumerator };
}

describe('CameraEnumerator', () => {
  test('lists a Logitech C920 with its three formats and without its metadata node', async () => {
    const { machine, enumerator } = await open('c920-pi4');
    await using _ = machine;
    const [camera, ...others] = await enumerator.list();
    expect(others).toEqual([]);
    expect(deviceSchema.parse(camera)).toEqual(camera);
    expect(camera).toMatchObject({
      id: 'usb-046d_HD_Pro_Webcam_C920_CD5AF2DF',
      name: 'HD Pro Webcam C920',
      kind: 'v4l2',
      driver: 'uvcvideo',
      bus: 'usb-0000:01:00.0-1.2',
      path: `${machine.roots.dev}/video0`,
      byId: `${machine.roots.dev}/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_CD5AF2DF-video-index0`,
      serial: 'CD5AF2DF',
      busy: false,
      note: null,
      source: null,
    });
    expect(camera?.formats.map(({ fourcc, compressed }) => [fourcc, compressed])).toEqual([
      ['YUYV', false],
      ['H264', true],
      ['MJPG', true],
    ]);
    expect(camera?.formats[1]?.sizes.at(-1)).toEqual({
      width: 1920,
      height: 1080,
      fps: [30, 24, 20, 15, 10, 7.5, 5],
    });
    expect(camera?.controls.find(({ id }) => id === 'exposure_time_absolute')).toEqual({
      id: 'exposure_time_absolute',
      label: 'Exposure time absolute',
      kind: 'integer',
      min: 3,
      max: 2047,
      step: 1,
      default: 250,
      value: 250,
      menu: [],
      inactive: true,
    });
    expect(camera?.controls.find(({ id }) => id === 'auto_exposure')?.menu).toEqual([
      { value: 1, label: 'Manual Mode' },
      { value: 3, label: 'Aperture Priority Mode' },
    ]);
  });

  test('a camera with a serial number keeps its id in another port and is probed again there', async () => {
    const { machine, enumerator } = await open('c920-pi4');
    await using _ = machine;
    const [before] = await enumerator.list();
    await machine.become('c920-pi4-other-port');
    const [after] = await enumerator.list();
    expect(after?.id).toBe(before?.id);
    expect(after?.bus).toBe('usb-0000:01:00.0-1.4');
  });

  test('distinguishes twins without a serial number by their ports', async () => {
    const { machine, enumerator } = await open('uvc-twins-pc');
    await using _ = machine;
    const devices = await enumerator.list();
    expect(devices.map(({ id, name, serial }) => [id, name, serial])).toEqual([
      ['pci-0000:00:14.0-usb-0:1:1.0', 'USB2.0_CAM1', null],
      ['pci-0000:00:14.0-usb-0:3:1.0', 'USB2.0_CAM1', null],
    ]);
    const bias = devices[0]?.controls.find(({ id }) => id === 'auto_exposure_bias');
    expect(bias?.menu.map(({ label }) => label)).toEqual(['-333', '0', '333']);
    expect(devices[0]?.controls.map(({ id }) => id)).not.toContain('privacy');
  });

  test.each([
    ['imx708-pi4', ['libcamera-i2c@1-imx708@1a'], 'unicam'],
    [
      'imx708-pi5',
      ['usb-046d_0825_5E2F3B20', 'libcamera-i2c@88000-imx708@1a', 'libcamera-i2c@80000-imx708@1a'],
      'rp1-cfe',
    ],
  ])(
    '%s: lists camera modules through libcamera and omits codecs, signal processor and raw nodes',
    async (name, ids, driver) => {
      const { machine, enumerator } = await open(name);
      await using _ = machine;
      const devices = await enumerator.list();
      expect(devices.map(({ id }) => id)).toEqual(ids);
      const module = devices.at(-1);
      expect(module).toMatchObject({ kind: 'libcamera', driver, path: null, note: null, controls: [] });
      expect(module?.formats.map(({ fourcc }) => fourcc)).toEqual(['YU12', 'pRAA']);
      expect(module?.formats[0]?.sizes).toContainEqual({ width: 1920, height: 1080, fps: [56.03] });
      expect(module?.formats[0]?.sizes).toContainEqual({ width: 1280, height: 720, fps: [120.13] });
      for (const device of devices) expect(deviceSchema.parse(device)).toEqual(device);
    },
  );

  test('reports that a camera module needs libcamera if that is missing', async () => {
    const { machine, enumerator } = await open('imx708-pi4');
    await using _ = machine;
    machine.without('rpicam-hello');
    expect(await enumerator.list()).toMatchObject([
      { id: 'receiver-fe801000.csi', note: 'needs libcamera (rpicam-apps): rpicam-hello is not installed' },
    ]);
  });

  test('lists vivid, which has every kind of control', async () => {
    const { machine, enumerator } = await open('vivid');
    await using _ = machine;
    const [camera] = await enumerator.list();
    expect(camera).toMatchObject({ id: 'platform-vivid.0', name: 'vivid', driver: 'vivid' });
    const kinds = Object.fromEntries((camera?.controls ?? []).map(({ id, kind }) => [id, kind]));
    expect(kinds).toMatchObject({
      button: 'button',
      boolean: 'boolean',
      integer_64_bits: 'integer',
      menu: 'menu',
      string: 'string',
      bitmask: 'integer',
      integer_menu: 'menu',
    });
    expect(kinds).not.toHaveProperty('area');
    expect(camera?.formats.map(({ fourcc }) => fourcc)).toEqual(['YUYV', 'Y16 ']);
  });

  test('runs programs when a camera is plugged in, and none afterwards', async () => {
    const { machine, enumerator } = await open('imx708-pi5');
    await using _ = machine;
    await enumerator.list();
    expect(machine.ran).toHaveLength(3);
    await enumerator.list();
    await enumerator.list();
    expect(machine.ran).toHaveLength(3);
  });

  test('reports which camera is in use', async () => {
    const { machine, enumerator } = await open('uvc-twins-pc');
    await using _ = machine;
    await machine.occupy(4711, 'video2');
    expect((await enumerator.list()).map(({ busy }) => busy)).toEqual([false, true]);
  });

  test('lists a camera that does not answer with the reason, and probes it again after forget', async () => {
    const { machine, enumerator } = await open('c920-pi4');
    await using _ = machine;
    machine.without('v4l2-ctl');
    const [camera] = await enumerator.list();
    expect(camera).toMatchObject({ note: 'does not answer: v4l2-ctl is not installed', formats: [] });
    await machine.become('c920-pi4');
    enumerator.forget(camera?.path ?? '');
    expect((await enumerator.list())[0]?.note).toBeNull();
  });
});
