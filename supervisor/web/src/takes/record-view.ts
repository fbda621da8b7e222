import type { Feed, Status, Take, TakeCamera, TakeState } from '../../../contract/index.ts';
import { countOf } from '../app/format.ts';
import { cameraOfDevice } from '../cameras/camera-page.ts';

/** A camera in the record bar. */
export interface RecordCamera {
  readonly key: string;
  readonly label: string;
  readonly state: TakeState | 'idle' | 'offline';
  readonly reason: string | null;
  readonly frames: number | null;
  readonly droppedFrames: number | null;
  /** The rate of its frames; null while it is part of a take, or if it is unknown. */
  readonly fps: number | null;
}

/** What the record bar shows. */
export interface RecordView {
  readonly phase: Status['recording']['state'];
  /** The take that a press on the button would stop; null if it would start one. */
  readonly stoppable: Take | null;
  readonly cameras: readonly RecordCamera[];
  /** Shortest time left on any disk that would be written to. */
  readonly remaining: { readonly seconds: number; readonly where: string | null } | null;
  /** How the last take ended, while none runs. */
  readonly last: { readonly text: string; readonly bad: boolean } | null;
  /** One line with the truth about the take as a whole. */
  readonly summary: string;
  /** Progress of compressing and verifying; null if unknown, or nothing is being finished. */
  readonly finishing: { readonly done: number; readonly remainingS: number | null } | null;
  /** Something is wrong with the recording. */
  readonly trouble: boolean;
}

const deviceName = (status: Status, { device, deviceId }: TakeCamera): string | null =>
  device === null ? null : (cameraOfDevice(status, deviceId ?? device)?.name ?? device);

/** What people call a camera in a take, with its appliance if the camera's own name is not enough. */
export const cameraLabel = (status: Status, part: TakeCamera): string => {
  const { camera } = part;
  const name = deviceName(status, part);
  if (name === null) return status.sources.find(({ id }) => id === camera)?.label ?? camera;
  return name === camera || camera.startsWith(`${name}-`) ? camera : `${name} · ${camera}`;
};

/** Distinguishes the parts of a take: cameras may have the same names. */
export const partKey = ({ camera, device, deviceId }: TakeCamera): string =>
  `${deviceId ?? device ?? ''}/${camera}`;

const ofTake = (status: Status, take: Take): RecordCamera[] =>
  take.cameras.map((camera) => ({
    key: partKey(camera),
    label: cameraLabel(status, camera),
    state: camera.state,
    reason: camera.reason,
    frames: camera.frames,
    droppedFrames: camera.droppedFrames,
    fps: null,
  }));

/** Of cameras that work in parallel the slowest counts. */
const finishingOf = (take: Take): RecordView['finishing'] => {
  const all = take.cameras.flatMap(({ finishing }) => (finishing === undefined ? [] : [finishing]));
  if (all.length === 0) return null;
  const left = all.map(({ remainingS }) => remainingS).filter((seconds) => seconds !== null);
  return {
    done: Math.min(...all.map(({ done }) => done)),
    remainingS: left.length < all.length ? null : Math.max(...left),
  };
};

/** Feeds that come from elsewhere have no master here. */
const elsewhere: ReadonlySet<string> = new Set(['whep', 'mjpeg']);

const rateOf = (status: Status, source: string, publishers: readonly (string | null)[]): number | null => {
  const isIts = ({ id, publisher }: Feed) => id === source && publishers.includes(publisher?.camera ?? null);
  return status.feeds.find(isIts)?.fps ?? null;
};

const ready = (status: Status): RecordCamera[] => {
  const nothing = { frames: null, droppedFrames: null };
  const ours = status.sources.filter(({ kind }) => !elsewhere.has(kind));
  const local = ours.map((source) => ({
    ...nothing,
    key: `/${source.id}`,
    label: source.label,
    state: source.state === 'running' ? ('idle' as const) : ('offline' as const),
    reason: source.reason,
    fps: rateOf(status, source.id, [null]),
  }));
  const linked = status.cameras.flatMap((camera) =>
    camera.sources.map((source) => ({
      ...nothing,
      key: `${camera.id}/${source.id}`,
      label: camera.sources.length === 1 ? camera.name : `${camera.name} · ${source.label}`,
      state: camera.online && source.state === 'running' ? ('idle' as const) : ('offline' as const),
      reason: camera.online ? source.reason : 'not connected',
      fps: camera.online ? rateOf(status, source.id, [camera.id, camera.name]) : null,
    })),
  );
  return [...local, ...linked];
};

const remainingOf = (status: Status): RecordView['remaining'] => {
  const own = { seconds: status.recording.remainingS, where: null };
  const linked = status.cameras
    .filter(({ online }) => online)
    .map(({ name, remainingS }) => ({ seconds: remainingS, where: name }));
  return [own, ...linked].reduce<RecordView['remaining']>((least, { seconds, where }) => {
    if (seconds === null || (least !== null && least.seconds <= seconds)) return least;
    return { seconds, where };
  }, null);
};

const droppedOf = (cameras: readonly RecordCamera[]): number =>
  cameras.reduce((sum, { droppedFrames }) => sum + (droppedFrames ?? 0), 0);

const summarise = (
  phase: RecordView['phase'],
  cameras: readonly RecordCamera[],
  take: Take | null,
): string => {
  const failed = cameras.filter(({ state }) => state === 'failed').length;
  const recording = cameras.filter(({ state }) => state === 'recording').length;
  if (phase === 'starting') return `Starting ${countOf(cameras.length, 'camera')}`;
  if (phase === 'recording') {
    const share =
      recording === cameras.length
        ? countOf(recording, 'camera')
        : `${recording} of ${cameras.length} cameras`;
    const dropped = droppedOf(cameras);
    const losses = dropped > 0 ? `, ${countOf(dropped, 'frame')} dropped` : '';
    return failed > 0 ? `Recording ${share}, ${failed} failed${losses}` : `Recording ${share}${losses}`;
  }
  if (phase === 'finishing') return 'Finishing and verifying the masters';
  if (phase === 'failed')
    return take === null ? 'Recording failed' : `The last take failed on ${countOf(failed, 'camera')}`;
  if (cameras.length === 0) return 'No camera to record yet';
  // A camera that sends, but not as requested, says why.
  const unready = cameras.filter(({ state, reason }) => state === 'offline' || reason !== null).length;
  if (unready > 0) return `${cameras.length - unready} of ${cameras.length} cameras ready`;
  return `${countOf(cameras.length, 'camera')} ready`;
};

const lastOf = (status: Status, take: Take | null): RecordView['last'] => {
  const { refusal } = status.recording;
  // A person who pressed a button on the appliance gets no other answer. A release before this one does not report it.
  if (refusal !== null && refusal !== undefined)
    return { text: `Not started: ${refusal.message}`, bad: true };
  if (take === null) return null;
  const failed = take.cameras.filter(({ state }) => state === 'failed');
  const [first] = failed;
  if (first !== undefined) {
    const who = failed.length === 1 ? cameraLabel(status, first) : countOf(failed.length, 'camera');
    return { text: `Last take failed on ${who}`, bad: true };
  }
  if (take.state !== 'verified') return null;
  const dropped = take.cameras.reduce((sum, { droppedFrames }) => sum + droppedFrames, 0);
  if (dropped > 0) return { text: `Last take verified, ${countOf(dropped, 'frame')} dropped`, bad: true };
  return { text: 'Last take verified', bad: false };
};

/** It fell out of the running take, and comes back by itself once it sends frames. */
const isOut = ({ state, reason }: RecordCamera): boolean => state === 'starting' && reason !== null;

/** An error must not be hidden behind the edge of a phone. */
const troubleFirst = (a: RecordCamera, b: RecordCamera): number => {
  const rank = (camera: RecordCamera) => (camera.state === 'failed' ? 2 : isOut(camera) ? 1 : 0);
  return rank(b) - rank(a);
};

/** The content of the record bar. */
export const recordViewOf = (status: Status): RecordView => {
  const { state: phase, take } = status.recording;
  const running = phase === 'starting' || phase === 'recording';
  const shown = take !== null && (running || phase === 'finishing' || phase === 'failed') ? take : null;
  const cameras = (shown === null ? ready(status) : ofTake(status, shown)).toSorted(troubleFirst);
  return {
    phase,
    stoppable: running ? take : null,
    cameras,
    remaining: remainingOf(status),
    last: phase === 'idle' ? lastOf(status, take) : null,
    summary: summarise(phase, cameras, take),
    finishing: phase === 'finishing' && take !== null ? finishingOf(take) : null,
    trouble:
      phase === 'failed' ||
      (shown !== null && cameras.some((camera) => camera.state === 'failed' || isOut(camera))) ||
      (running && droppedOf(cameras) > 0),
  };
};

/** What the running take does with one feed. */
export interface FeedTake {
  readonly state: 'recording' | 'failed';
  readonly droppedFrames: number;
}

/** How the running take goes for a feed's camera; null if none runs, or the camera is not part of it. */
export const takeOfFeed = (status: Status, feedId: string, cameraName: string | null): FeedTake | null => {
  const { state: phase, take } = status.recording;
  if (phase !== 'recording' || take === null) return null;
  const own =
    take.cameras.find(({ camera }) => camera === feedId) ??
    take.cameras.find((part) => cameraName !== null && deviceName(status, part) === cameraName);
  if (own?.state !== 'recording' && own?.state !== 'failed') return null;
  return { state: own.state, droppedFrames: own.droppedFrames };
};

/** What removing a source of this appliance does to the running take, as the beginning of a warning; empty if nothing. */
export const endOfMaster = ({ recording: { take } }: Status, source: string | null): string => {
  const isKept = ({ camera, device, state }: TakeCamera) =>
    device === null && camera === source && (state === 'recording' || state === 'starting');
  return take?.stoppedAt === null && take.cameras.some(isKept)
    ? 'A take is recording this camera, and its master would end now. '
    : '';
};
