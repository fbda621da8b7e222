import type { Member } from '../../ota/index.ts';
import type { CameraUpdate, LinkedCamera, Update } from '../contract/index.ts';

const busyStates: readonly Update['state'][] = ['downloading', 'installing', 'armed', 'trial'];
/** A restart must not interrupt the finishing of masters either. */
const recordingStates: readonly LinkedCamera['recording'][] = ['starting', 'recording', 'finishing'];

/** Whether an update is under way. */
export function isBusy(state: Update['state']): boolean {
  return busyStates.includes(state);
}

/** A linked camera as a rollout sees it. `nowMs` is wall-clock time, as `lastSeenAt` is. */
export function cameraMember(camera: LinkedCamera, nowMs: number): Member {
  const { id, name, online, version, update } = camera;
  return {
    id,
    name,
    online,
    version,
    awayMs: online ? 0 : Math.max(0, nowMs - Date.parse(camera.lastSeenAt)),
    compatible: update?.compatible ?? null,
    recording: online && recordingStates.includes(camera.recording),
    update: memberUpdate(update, 'its release cannot be updated by the hub'),
  };
}

/** The hub itself as a rollout sees it. */
export function hubMember(hub: { id: string; name: string }, update: Update, recording: boolean): Member {
  return {
    ...hub,
    online: true,
    awayMs: 0,
    version: update.installedVersion,
    compatible: update.compatible,
    recording,
    update: memberUpdate(update, null),
  };
}

/** What a camera reports to its hub about its own update. */
export function reportedUpdate(update: Update): CameraUpdate {
  const { compatible, state, progressPercent, reason, lastAttempt } = update;
  if (lastAttempt === null) return { compatible, state, progressPercent, reason, lastAttempt };
  const { version, at, outcome, reason: why } = lastAttempt;
  return { compatible, state, progressPercent, reason, lastAttempt: { version, at, outcome, reason: why } };
}

function memberUpdate(update: CameraUpdate | null, unknown: string | null): Member['update'] {
  if (update === null) return { state: 'unsupported', reason: unknown, attempt: null };
  const { state, reason, lastAttempt } = update;
  const attempt =
    lastAttempt === null
      ? null
      : { at: lastAttempt.at, ok: lastAttempt.outcome === 'committed', reason: lastAttempt.reason };
  if (state === 'unsupported') return { state, reason, attempt };
  return { state: isBusy(state) ? 'busy' : 'idle', reason, attempt };
}
