import type { LinkedCamera, SourceStatus, Status, Take } from '../contract/index.ts';
import { droppedOf, failuresOf, isOver, takeGigabytes, takeSeconds } from './take-details.ts';

/** Events of takes. */
export const takeEvents = ['started', 'finished', 'verified', 'failed', 'master_failed'] as const;
/** Events of cameras. */
export const cameraEvents = ['lost', 'back'] as const;
/** Events of refused commands. */
export const refusalEvents = ['command_refused', 'start_refused'] as const;

/** Something that happened, in the form of Home Assistant's event entities. */
export interface ApplianceEvent {
  readonly kind: 'take' | 'camera' | 'refusal';
  readonly payload: { readonly event_type: string } & Readonly<Record<string, unknown>>;
}

/** What happened between two looks at the status, in the order in which it happened. Pure. */
export function eventsBetween(before: Status, now: Status, pageUrl: string | null = null): ApplianceEvent[] {
  return [
    ...takeEventsBetween(before.recording.take, now.recording.take, pageUrl),
    ...cameraEventsBetween(before, now),
    ...refusalsBetween(before.recording, now.recording),
  ];
}

/** A take may pass several stages between two looks; each is reported. */
function takeEventsBetween(before: Take | null, now: Take | null, pageUrl: string | null): ApplianceEvent[] {
  if (now === null) return [];
  const past = before?.id === now.id ? before : null;
  const reported = new Set(past === null ? [] : stagesOf(past));
  const stages = stagesOf(now).filter((stage) => !reported.has(stage));
  const broken = new Set(past?.cameras.filter(({ state }) => state === 'failed').map(({ camera }) => camera));
  const failures = now.cameras.filter(({ camera, state }) => state === 'failed' && !broken.has(camera));
  const about = takeAbout(now, pageUrl);
  return [
    ...stages.filter((stage) => stage === 'started').map((stage) => takeEvent(stage, about)),
    ...failures.map(({ camera, device, reason }) =>
      takeEvent('master_failed', { ...about, camera, device, reason }),
    ),
    ...stages.filter((stage) => stage !== 'started').map((stage) => takeEvent(stage, about)),
  ];
}

function takeEvent(
  type: (typeof takeEvents)[number],
  about: Readonly<Record<string, unknown>>,
): ApplianceEvent {
  return { kind: 'take', payload: { event_type: type, ...about } };
}

/** Everything a take has gone through. */
function stagesOf({ state, stoppedAt }: Take): (typeof takeEvents)[number][] {
  if (state === 'starting') return [];
  const isStopped = stoppedAt !== null || state === 'finishing' || state === 'verified' || state === 'failed';
  return [
    'started',
    ...(isStopped ? (['finished'] as const) : []),
    ...(state === 'verified' || state === 'failed' ? [state] : []),
  ];
}

function takeAbout(take: Take, pageUrl: string | null) {
  return {
    take: take.id,
    started_at: take.startedAt,
    cameras: take.cameras.map(({ camera }) => camera),
    duration_s: takeSeconds(take),
    size_gb: isOver(take) ? takeGigabytes(take) : null,
    dropped_frames: droppedOf(take),
    failures: failuresOf(take),
    url: pageUrl === null ? null : `${pageUrl.replace(/\/$/, '')}/#/takes`,
  };
}

/** Linked cameras and those of this machine; a camera that was removed, or switched off by the settings, is not lost. */
function cameraEventsBetween(before: Status, now: Status): ApplianceEvent[] {
  return [
    ...now.cameras.flatMap((camera) => {
      const past = before.cameras.find(({ id }) => id === camera.id);
      if (past === undefined || past.online === camera.online) return [];
      return [cameraEvent(camera.online, linkedAbout(camera))];
    }),
    ...now.sources.flatMap((source) => {
      const past = before.sources.find(({ id }) => id === source.id);
      if (past === undefined || isAway(past) === isAway(source)) return [];
      // After a restart it is back with its first frame.
      if (!isAway(source) && source.state !== 'running') return [];
      return [cameraEvent(!isAway(source), sourceAbout(source))];
    }),
  ];
}

function cameraEvent(isBack: boolean, about: Readonly<Record<string, unknown>>): ApplianceEvent {
  return { kind: 'camera', payload: { event_type: isBack ? 'back' : 'lost', ...about } };
}

const linkedAbout = ({ id, name, online }: LinkedCamera) => ({
  ...{ camera: name, id, reason: online ? null : 'it is not connected' },
});

const sourceAbout = ({ id, label, reason }: SourceStatus) => ({ camera: label, id, reason });

/** Whether a source gives no picture though it should. */
function isAway({ state }: SourceStatus): boolean {
  return state === 'stalled' || state === 'waiting' || state === 'starting';
}

function refusalsBetween(before: Status['recording'], now: Status['recording']): ApplianceEvent[] {
  const { refusal } = now;
  if (refusal === null || refusal.at === before.refusal?.at) return [];
  const { code, message } = refusal;
  return [{ kind: 'refusal', payload: { event_type: 'start_refused', command: 'recording', code, message } }];
}

/** A command that came by MQTT and was not carried out. */
export function commandRefused(command: string, code: string, message: string): ApplianceEvent {
  return { kind: 'refusal', payload: { event_type: 'command_refused', command, code, message } };
}
