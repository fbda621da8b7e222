/** Everything the appliance needs from updates. */

export type { Child, ChildHost } from '../common/child-host.ts';
export type { Fetch } from './channel/channel-client.ts';
export type { Release } from './channel/manifest.ts';
export { OtaError, type OtaErrorCode } from './errors.ts';
export type { Health, Probe } from './health/health.ts';
export { defaultGateTiming, type GateTiming, type HealthProbes } from './health/health-gate.ts';
export { BundleCache, type CachedBundle } from './rollout/bundle-cache.ts';
export {
  type ConductorStatus,
  type ConductorTiming,
  type Fleet,
  RolloutConductor,
} from './rollout/conductor.ts';
export type { Member, MemberState, Rollout } from './rollout/rollout.ts';
export { serveBundle } from './rollout/serve-bundle.ts';
export { type HawkbitLinkOptions, runHawkbit } from './updater/hawkbit-link.ts';
export {
  devicePaths,
  type InstallRequest,
  type SlotView,
  type UpdatePaths,
  type UpdaterOptions,
  type UpdateSettings,
  type UpdateTiming,
  type UpdateView,
} from './updater/types.ts';
export { Updater } from './updater/updater.ts';
export { oldestVersion } from './version.ts';
