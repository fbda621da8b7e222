import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ChildProcessHost } from '../../process/child-process-host.ts';
import type { RunCommand } from '../run-command.ts';
import { CameraEnumerator } from './camera-enumerator.ts';
import { CameraWatcher } from './camera-watcher.ts';
import type { ControlValues } from './controls-patch.ts';
import type { DeviceEvent } from './device-changes.ts';
import { FixtureMachine } from './fixture-machine.fake.ts';
import { HotplugMonitor, isUdevEvent } from './hotplug-monitor.ts';
import { fakeUdev } from './udev.fake.ts';

const logger = pino({ level: 'silent' });
const c920 = 'usb-046d_HD_Pro_Webcam_C920_CD5AF2DF';
const patient = { timeout: 20_000, interval: 20 };

describe('CameraWatcher', () => {
  let folder: string;
  let machine: FixtureMachine;
  let host: ChildProcessHost;
  let stop: AbortController;
  const memory = new Map<string, ControlValues>();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rushlight-watcher-'));
    machine = await new FixtureMachine('vivid').open();
    host = new ChildProcessHost({ logger, folder });
    stop = new AbortController();
    memory.clear();
  });
  afterEach(async () => {
    stop.abort();
    await host[Symbol.asyncDispose]();
    await machine[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  function watcherWith(hotplug: Pick<HotplugMonitor, 'run'>, run: RunCommand = machine.run) {
    const enumerator = new CameraEnumerator({ log: logger, run, roots: machine.roots });
    const watcher = new CameraWatcher({ enumerator, hotplug, memory, log: logger, run });
    const events: string[] = [];
    watcher.subscribe((event: DeviceEvent) =>
      events.push(`${event.type} ${event.type === 'device-removed' ? event.id : event.device.id}`),
    );
    return { watcher, events, running: watcher.run(stop.signal) };
  }

  async function udev() {
    const { hotplug, event } = await fakeUdev(folder);
    return { hotplug: new HotplugMonitor({ host, log: logger, ...hotplug }), event };
  }

  test('reports plugged and pulled cameras from udev events', async () => {
    const { hotplug, event } = await udev();
    const { events, running } = watcherWith(hotplug);
    await vi.waitFor(() => expect(events).toEqual(['device-added platform-vivid.0']), patient);
    await vi.waitFor(() => expect(host.running.map(({ name }) => name)).toEqual(['udev-monitor']), patient);

    await machine.become('c920-pi4');
    await event();
    await vi.waitFor(() => expect(events).toHaveLength(3), patient);
    expect(events.slice(1)).toEqual(['device-removed platform-vivid.0', `device-added ${c920}`]);
    stop.abort();
    await running;
    expect(host.running).toEqual([]);
  });

  test('restarts a monitor that dies and finds what it missed', async () => {
    const { hotplug } = await udev();
    const { events } = watcherWith(hotplug);
    await vi.waitFor(() => expect(host.running).toHaveLength(1), patient);
    await machine.become('c920-pi4');
    await host.running[0]?.stop();
    await vi.waitFor(() => expect(events.at(-1)).toBe(`device-added ${c920}`), patient);
  });

  test('watches the device folder if there is no udev', async () => {
    const hotplug = new HotplugMonitor({
      host,
      log: logger,
      udevadm: join(folder, 'none'),
      devFolder: machine.roots.dev,
    });
    const { events } = watcherWith(hotplug);
    await vi.waitFor(() => expect(events).toHaveLength(1), patient);
    await rm(join(machine.roots.sys, 'class/video4linux/video0'));
    // The watch starts after the first look; a node that comes and goes shows when it works.
    await vi.waitFor(async () => {
      await writeFile(join(machine.roots.dev, 'video9'), '');
      await rm(join(machine.roots.dev, 'video9'));
      expect(events.at(-1)).toBe('device-removed platform-vivid.0');
    }, patient);
    expect(host.running).toEqual([]);
  });

  test('remembers the controls of a camera and restores them in another port', async () => {
    await machine.become('c920-pi4');
    const { watcher } = watcherWith(pluggedByHand());
    await watcher.list();
    await watcher.setControls(c920, { gain: 80, power_line_frequency: '60 Hz' });
    expect(memory.get(c920)).toEqual({ gain: 80, power_line_frequency: '60 Hz' });

    machine.ran.length = 0;
    await machine.become('vivid');
    await watcher.list();
    await machine.become('c920-pi4-other-port');
    await watcher.list();
    const set = machine.ran
      .filter((line) => line.includes('--set-ctrl'))
      .map((line) => line.split('--set-ctrl ')[1]);
    expect(set).toEqual(['power_line_frequency=2', 'gain=80']);
  });

  test('does not remember refused values', async () => {
    await machine.become('c920-pi4');
    const { watcher } = watcherWith(pluggedByHand());
    await expect(watcher.setControls(c920, { gain: 999 })).rejects.toMatchObject({ code: 'CONTROL_INVALID' });
    await expect(watcher.setControls('none', { gain: 1 })).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' });
    expect(memory.size).toBe(0);
  });

  test('probes a camera again that does not answer right after plugging', async () => {
    let silent = true;
    const run: RunCommand = async (argv) =>
      silent
        ? { code: 1, stdout: '', stderr: 'Cannot open device: Device or resource busy' }
        : await machine.run(argv);
    const { watcher, events } = watcherWith(pluggedByHand(), run);
    await vi.waitFor(() => expect(watcher.known[0]?.note).toMatch(/resource busy/), patient);
    silent = false;
    await vi.waitFor(() => expect(watcher.known[0]?.note).toBeNull(), patient);
    expect(events.at(-1)).toBe('device-changed platform-vivid.0');
  });

  test('asks libcamera again after a failure, as at a boot that uses all of the processor', async () => {
    await machine.become('imx708-pi4');
    let late = true;
    const run: RunCommand = async (argv) =>
      late && argv[0] === 'rpicam-hello' ? { code: null, stdout: '', stderr: '' } : await machine.run(argv);
    const { watcher } = watcherWith(pluggedByHand(), run);
    await vi.waitFor(() => expect(watcher.known[0]?.note).toMatch(/^needs libcamera/), patient);
    late = false;
    await vi.waitFor(() => expect(watcher.known[0]).toMatchObject({ name: 'imx708', note: null }), patient);
  });
});

/** Without any events: the test looks when it has plugged. */
function pluggedByHand(): Pick<HotplugMonitor, 'run'> {
  return {
    run: (signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  };
}

test.each([
  [
    'UDEV  [27065.875347] add      /devices/pci0000:00/usb3/3-11/3-11:1.0/video4linux/video0 (video4linux)',
    true,
  ],
  ['UDEV  [1.5] remove   /devices/platform/vivid.0/video4linux/video0 (video4linux)', true],
  ['UDEV - the event which udev sends out after rule processing', false],
  ['KERNEL[27065.875347] add      /devices/x/video4linux/video0 (video4linux)', false],
  ['', false],
])('%s', (line, expected) => {
  expect(isUdevEvent(line)).toBe(expected);
});
