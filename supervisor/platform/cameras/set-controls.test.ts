import pino from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Device } from '../../contract/index.ts';
import { CameraEnumerator } from './camera-enumerator.ts';
import { checkControls } from './controls-patch.ts';
import { FixtureMachine } from './fixture-machine.fake.ts';
import { setControls } from './set-controls.ts';

async function deviceOf(name: string): Promise<Device> {
  await using machine = await new FixtureMachine(name).open();
  const log = pino({ level: 'silent' });
  const [device] = await new CameraEnumerator({ log, run: machine.run, roots: machine.roots }).list();
  if (device === undefined) throw new Error(`no camera in ${name}`);
  return device;
}

describe('controls', () => {
  let camera: Device;
  beforeEach(async () => {
    camera = await deviceOf('c920-pi4');
  });

  test('sets switches before what they switch', () => {
    const settings = checkControls(camera, { exposure_time_absolute: 200, gain: 3, auto_exposure: 1 });
    expect(settings.map(({ control, value }) => [control.id, value])).toEqual([
      ['auto_exposure', 1],
      ['exposure_time_absolute', 200],
      ['gain', 3],
    ]);
  });

  test('accepts labels for a menu, and true and false for a switch', () => {
    const settings = checkControls(camera, {
      auto_exposure: 'Manual Mode',
      focus_automatic_continuous: false,
    });
    expect(settings.map(({ value }) => value)).toEqual([1, 0]);
  });

  test.each([
    [{ gain: 256 }, 'gain: a number from 0 to 255 expected'],
    [{ gain: 1.5 }, 'gain: a whole number expected'],
    [{ gain: 'high' }, 'gain: a whole number expected'],
    [{ focus_absolute: 7 }, 'focus_absolute: 0 plus a multiple of 5 expected'],
    [{ auto_exposure: 2 }, 'auto_exposure: one of 1 (Manual Mode), 3 (Aperture Priority Mode) expected'],
    [{ white_balance_automatic: 2 }, 'white_balance_automatic: true or false expected'],
    [{ flux: 1 }, 'flux: HD Pro Webcam C920 has no such control'],
    [{ 'gain=0,brightness': 1 }, 'gain=0,brightness: HD Pro Webcam C920 has no such control'],
  ])('rejects %j', (values, message) => {
    expect(() => checkControls(camera, values)).toThrow(message);
  });

  test('reports every problem, by control', () => {
    const refused = () => checkControls(camera, { gain: -1, flux: 1 });
    expect(refused).toThrow(expect.objectContaining({ code: 'CONTROL_INVALID' }));
    expect(refused).toThrow(/gain: .*flux: /);
  });

  test('text cannot smuggle in another control', async () => {
    const vivid = await deviceOf('vivid');
    expect(() => checkControls(vivid, { string: 'a,b' })).toThrow(/quotes and commas/);
    expect(() => checkControls(vivid, { string: 'long!' })).toThrow(/at most 4/);
  });

  test('sets switches first, then the values that they unlock', async () => {
    const ran: string[] = [];
    const reread = async () => ({
      ...camera,
      controls: camera.controls.map((control) => ({ ...control, inactive: false })),
    });
    const run = async (argv: readonly string[]) => {
      ran.push(argv.slice(3).join(' '));
      return { code: 0, stdout: '', stderr: '' };
    };
    await setControls(camera, { exposure_time_absolute: 200, auto_exposure: 1 }, run, reread);
    expect(ran).toEqual(['--set-ctrl auto_exposure=1', '--set-ctrl exposure_time_absolute=200']);
  });

  test('rejects a value while its automatic mode is on, before asking the driver', async () => {
    const run = async () => {
      throw new Error('nothing is to be run');
    };
    await expect(setControls(camera, { focus_absolute: 10 }, run, async () => camera)).rejects.toThrow(
      'focus_absolute: not accepted in the current mode: turn its automatic mode off first',
    );
  });

  test("reports the driver's message even if v4l2-ctl exits with 0", async () => {
    const stderr = 'VIDIOC_S_EXT_CTRLS: failed: Input/output error\n';
    const run = async () => ({ code: 0, stdout: '', stderr });
    await expect(setControls(camera, { gain: 1 }, run, async () => camera)).rejects.toThrow(
      /gain: the camera refused it: .*Input\/output error/,
    );
  });

  test('a camera module says where its settings are', async () => {
    const module = await deviceOf('imx708-pi4');
    const refused = setControls(
      module,
      { gain: 1 },
      async () => ({ code: 0, stdout: '', stderr: '' }),
      async () => module,
    );
    await expect(refused).rejects.toMatchObject({ code: 'NOT_SUPPORTED_HERE' });
  });
});
