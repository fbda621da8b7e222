/** The local cameras: what is plugged in, what is used, and their pipelines. */

export type { LinkSample } from './adaptive-bitrate.ts';
export { cameraFacts } from './camera-facts.ts';
export { ControlState } from './control-state.ts';
export { DeviceSelection } from './device-selection.ts';
export { type Ingest, Pipelines } from './pipelines.ts';
export { PluggedCameras } from './plugged-cameras.ts';
export { PortAllocator } from './port-allocator.ts';
export { SerialHomeState } from './serial-home-state.ts';
export { SettingControls } from './setting-controls.ts';
export { withUnplugged } from './source-status.ts';
