/** The local cameras: what is plugged in, what is used, and their pipelines. */

export type { LinkSample } from './adaptive-bitrate.ts';
export { cameraFacts } from './camera-facts.ts';
export { DeviceSelection } from './device-selection.ts';
export type { Ingest, Pipelines } from './pipelines.ts';
export type { PluggedCameras } from './plugged-cameras.ts';
export type { PortAllocator } from './port-allocator.ts';
export type { SettingControls } from './setting-controls.ts';
export { withUnplugged } from './source-status.ts';
export { assembleSources, type Sources } from './sources.ts';
