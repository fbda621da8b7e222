import { createHash } from 'node:crypto';
import { compareVersions } from '../version.ts';
import type { Channel, Release } from './manifest.ts';

/** The owner's settings for updates. */
export interface UpdatePolicy {
  readonly install: 'ask' | 'idle' | 'never';
  /** Local time of day in which `idle` may install: `02:00-05:00`, also across midnight. Null: any time. */
  readonly window: string | null;
  readonly allowDowngrade: boolean;
}

/** Everything the decision depends on. */
export interface UpdateFacts {
  readonly installedVersion: string;
  readonly compatible: string;
  readonly deviceId: string;
  readonly recording: boolean;
  readonly trialRunning: boolean;
  /** Minutes since local midnight; null if the clock cannot be trusted. */
  readonly minuteOfDay: number | null;
  /** A version that failed here before; it is not tried again unless someone asks for it. */
  readonly failedVersion: string | null;
}

/** What someone asked for, which overrides the policy. */
export interface UpdateRequest {
  readonly force: boolean;
  readonly allowDowngrade: boolean;
}

/** What to do, and why. */
export type UpdateDecision =
  | { readonly type: 'none'; readonly reason: string | null }
  | { readonly type: 'offer'; readonly release: Release; readonly reason: string | null }
  | { readonly type: 'defer'; readonly release: Release; readonly reason: string }
  | { readonly type: 'install'; readonly release: Release };

/** Decides what to do about a channel: the arguments are everything it depends on. Pure. */
export function decideUpdate(
  channel: Channel,
  facts: UpdateFacts,
  policy: UpdatePolicy,
  request: UpdateRequest | null,
): UpdateDecision {
  const allowDowngrade = policy.allowDowngrade || request?.allowDowngrade === true;
  const { release, reason } = bestRelease(channel, facts, allowDowngrade);
  if (release === null) return { type: 'none', reason };
  if (request === null) {
    const hold = holdReason(release, facts, policy);
    if (hold !== null) return { type: 'offer', release, reason: hold };
  }
  const wait = waitReason(facts, request === null ? policy.window : null, request?.force === true);
  return wait === null ? { type: 'install', release } : { type: 'defer', release, reason: wait };
}

/** The newest release this machine can go to in one step. */
export function bestRelease(
  channel: Channel,
  facts: Pick<UpdateFacts, 'installedVersion' | 'compatible'>,
  allowDowngrade: boolean,
): { release: Release | null; reason: string | null } {
  const ours = channel.releases
    .filter((release) => release.compatible === facts.compatible)
    .sort((a, b) => compareVersions(b.version, a.version));
  if (ours.length === 0) return { release: null, reason: `the channel has nothing for ${facts.compatible}` };
  const installed = facts.installedVersion;
  const reachable = ours.filter(
    ({ minimumVersion }) => minimumVersion === null || compareVersions(installed, minimumVersion) >= 0,
  );
  const newer = reachable.find((release) => compareVersions(release.version, installed) > 0);
  if (newer !== undefined) return { release: newer, reason: null };
  const [newest] = ours;
  if (newest !== undefined && compareVersions(newest.version, installed) > 0) {
    return {
      release: null,
      reason: `${newest.version} needs ${newest.minimumVersion}, which the channel lacks`,
    };
  }
  const older = reachable.find((release) => compareVersions(release.version, installed) < 0);
  if (allowDowngrade && older !== undefined && newest?.version !== installed) {
    return { release: older, reason: null };
  }
  return { release: null, reason: null };
}

/** Why the machine does not continue by itself. */
function holdReason(release: Release, facts: UpdateFacts, policy: UpdatePolicy): string | null {
  if (policy.install === 'never') return 'updates are switched off';
  if (facts.failedVersion === release.version) return `${release.version} failed here before`;
  if (stagePercentOf(facts.deviceId, release.version) >= release.rolloutPercent) {
    return `${release.version} is being rolled out in stages; this machine's turn comes later`;
  }
  return policy.install === 'ask' ? 'waits to be asked for' : null;
}

/** Why it must wait although it is wanted. */
function waitReason(facts: UpdateFacts, window: string | null, force: boolean): string | null {
  if (facts.trialRunning) return 'a trial is running';
  if (facts.recording && !force) return 'a take is running';
  if (window === null) return null;
  if (facts.minuteOfDay === null) return 'the clock is not set, so the time window is unknown';
  return isWithin(window, facts.minuteOfDay) ? null : `outside the time window ${window}`;
}

/** A machine's place in the queue for a version: 0 ≤ x < 100, always the same for one version, different for another. */
export function stagePercentOf(deviceId: string, version: string): number {
  const digest = createHash('sha256').update(`${deviceId}\n${version}`).digest();
  return (digest.readUInt32BE(0) / 2 ** 32) * 100;
}

/** Whether a minute of the day lies in `HH:MM-HH:MM`; the end is excluded, and it may be past midnight. */
export function isWithin(window: string, minuteOfDay: number): boolean {
  const match = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(window);
  if (match === null) return false;
  const [from, to] = [Number(match[1]) * 60 + Number(match[2]), Number(match[3]) * 60 + Number(match[4])];
  if (from === to) return true;
  return from < to ? minuteOfDay >= from && minuteOfDay < to : minuteOfDay >= from || minuteOfDay < to;
}
