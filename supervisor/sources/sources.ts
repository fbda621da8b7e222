import { CameraEnumerator } from '../platform/cameras/camera-enumerator.ts';
import { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import { findHardwareEncoder } from '../platform/cameras/hardware-encoder.ts';
import { HotplugMonitor } from '../platform/cameras/hotplug-monitor.ts';
import type { Foundation } from '../system/foundation.ts';
import { ControlState } from './control-state.ts';
import { Pipelines, type PipelinesOptions } from './pipelines.ts';
import { PluggedCameras } from './plugged-cameras.ts';
import { PortAllocator } from './port-allocator.ts';
import { SerialHomeState } from './serial-home-state.ts';
import { SettingControls } from './setting-controls.ts';

/** Where pictures come from: cameras and capture pipelines. */
export interface Sources {
  readonly cameras: CameraWatcher;
  readonly plugged: PluggedCameras;
  readonly ports: PortAllocator;
  readonly pipelines: Pipelines;
  readonly controls: SettingControls;
}

/** What sources need of the appliance. */
export type SourcesOptions = Pick<
  PipelinesOptions,
  'recording' | 'onLinkRate' | 'onChange' | 'publishPictures'
>;

/** Makes the parts. None of them does anything before it is run. */
export async function assembleSources(base: Foundation, options: SourcesOptions): Promise<Sources> {
  const { host, state, paths, log } = base;
  const memory = new ControlState(state, log);
  const { hotplug, ...edge } = base.options.cameraEdge ?? {};
  const cameras = new CameraWatcher({
    ...edge,
    enumerator: new CameraEnumerator({
      ...edge,
      log,
      placeOf: (device) => plugged.placeOf(device),
      homes: new SerialHomeState(state, log),
    }),
    hotplug: new HotplugMonitor({ ...hotplug, host, log }),
    memory,
    log,
  });
  const plugged = new PluggedCameras(cameras, state);
  const controls = new SettingControls({ cameras, memory, log });
  // A media process that outlived an earlier supervisor is recognised by its control socket.
  const ports = new PortAllocator(state, { isOurs: (argv) => argv.includes(paths.mediaSocket) });
  const pipelines = new Pipelines({
    ...options,
    host,
    ports,
    log,
    runFolder: paths.run,
    configFile: base.options.configFile,
    devices: () => cameras.known,
    model: base.identity.model,
    hardwareEncoder: await findHardwareEncoder(),
    noteOf: (source) => controls.noteOf(source),
  });
  return { cameras, plugged, ports, pipelines, controls };
}
