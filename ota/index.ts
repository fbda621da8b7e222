/** Everything the appliance needs from updates. */

export type { Fetch } from './channel/channel-client.ts';
export type { Release } from './channel/manifest.ts';
export { OtaError, type OtaErrorCode } from './errors.ts';
export type { Probe } from './health/health.ts';
export type { HealthProbes } from './health/health-gate.ts';
export { BundleCache, type CachedBundle } from './rollout/bundle-cache.ts';
export {
  type ConductorTiming,
  type Fleet,
  RolloutConductor,
} from './rollout/conductor.ts';
export type { Member, MemberState, Rollout } from './rollout/rollout.ts';
export { serveBundle } from './rollout/serve-bundle.ts';
export { runHawkbit } from './updater/hawkbit-link.ts';
export type { UpdateSettings } from './updater/types.ts';
export { Updater } from './updater/updater.ts';
export { oldestVersion } from './version.ts';
