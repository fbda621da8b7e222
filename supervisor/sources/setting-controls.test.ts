import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseConfig } from '../config/parse.ts';
import { StateStore } from '../config/state.ts';
import { CameraEnumerator } from '../platform/cameras/camera-enumerator.ts';
import { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import { FixtureMachine } from '../platform/cameras/fixture-machine.fake.ts';
import type { DesiredPipeline } from '../roles/assign-cameras.ts';
import { ControlState, controlsSection } from './control-state.ts';
import { SettingControls } from './setting-controls.ts';

const c920 = 'usb-046d_HD_Pro_Webcam_C920_CD5AF2DF';
const logger = pino({ level: 'silent' });

describe('controls of a [[source]]', () => {
  let folder: string;
  let machine: FixtureMachine;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'controls-'));
    machine = await new FixtureMachine('c920-pi4').open();
  });
  afterEach(async () => {
    await machine[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** A supervisor, as it is after a start: what it remembers is in the state. */
  async function start() {
    const state = new StateStore({ file: join(folder, 'state.json'), logger });
    await state.load();
    const memory = new ControlState(state, logger);
    const enumerator = new CameraEnumerator({ log: logger, run: machine.run, roots: machine.roots });
    const cameras = new CameraWatcher({
      enumerator,
      memory,
      run: machine.run,
      log: logger,
      hotplug: { run: async () => {} },
    });
    await cameras.list();
    const controls = new SettingControls({ cameras, memory, log: logger });
    const values = async () => {
      const [device] = await cameras.list();
      return Object.fromEntries((device?.controls ?? []).map(({ id, value }) => [id, value]));
    };
    const written = () => state.update(controlsSection, (kept) => kept);
    return { cameras, controls, values, written };
  }

  function pipelines(controls: string): DesiredPipeline[] {
    const parsed = parseConfig(`[[source]]\nid = "cam0"\nkind = "v4l2"\ncontrols = ${controls}\n`);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const camera = { id: c920, kind: 'v4l2', address: '/dev/video0' } as unknown as DesiredPipeline['camera'];
    return parsed.config.source.map((source) => ({ source, camera }));
  }

  const sets = () => machine.ran.filter((line) => line.includes('--set-ctrl'));

  test('are set by v4l2-ctl, switches first, and once', async () => {
    const { controls, values } = await start();
    const wanted = pipelines('{ exposure_time_absolute = 200, auto_exposure = 1, gain = 30 }');
    await controls.apply(wanted);
    expect(await values()).toMatchObject({ exposure_time_absolute: 200, auto_exposure: 1, gain: 30 });
    expect(controls.noteOf('cam0')).toBeNull();
    expect(sets()[0]).toContain('auto_exposure=1');
    const before = sets().length;
    await controls.apply(wanted);
    expect(sets()).toHaveLength(before);
    await controls.apply(pipelines('{ exposure_time_absolute = 200, auto_exposure = 1, gain = 31 }'));
    expect(sets().slice(before)).toEqual([expect.stringMatching(/--set-ctrl gain=31$/)]);
  });

  test('reports an unknown one with its nearest match and still sets the others', async () => {
    const { controls, values } = await start();
    await controls.apply(pipelines('{ gian = 3, brightness = 100, focus_absolute = 7 }'));
    expect(controls.noteOf('cam0')).toBe(
      'controls: gian: HD Pro Webcam C920 has no such control; the nearest is gain; focus_absolute: 0 plus a multiple of 5 expected',
    );
    expect(await values()).toMatchObject({ brightness: 100 });
    await controls.apply(pipelines('{ brightness = 100 }'));
    expect(controls.noteOf('cam0')).toBeNull();
  });

  test('keep what somebody later sets on the page until the setting changes, even after a restart', async () => {
    const first = await start();
    await first.controls.apply(pipelines('{ gain = 30 }'));
    await first.cameras.setControls(c920, { gain: 90 });
    await first.cameras.setControls(c920, { brightness: 10 });
    await first.controls.apply(pipelines('{ gain = 30 }'));
    expect(await first.values()).toMatchObject({ gain: 90 });
    // What is being written comes first.
    await first.written();
    const second = await start();
    await second.controls.apply(pipelines('{ gain = 30 }'));
    expect(await second.values()).toMatchObject({ gain: 90, brightness: 10 });
    await second.controls.apply(pipelines('{ gain = 40 }'));
    expect(await second.values()).toMatchObject({ gain: 40 });
  });

  test('are set again when the camera is plugged in again', async () => {
    const { controls, cameras, values } = await start();
    await controls.apply(pipelines('{ gain = 30 }'));
    await machine.become('none');
    await cameras.list();
    await machine.become('c920-pi4-other-port');
    await cameras.list();
    expect(await values()).toMatchObject({ gain: 30 });
  });

  test('report one that the camera refuses, and retry it', async () => {
    const { controls } = await start();
    machine.without('v4l2-ctl');
    await controls.apply(pipelines('{ gain = 30 }'));
    expect(controls.noteOf('cam0')).toMatch(/^controls: /);
  });
});
