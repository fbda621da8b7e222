import type { Take, TakeCamera, TakeState } from '../contract/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';

/**
 * The state of a take as a whole: the least finished of its cameras decides, and a failure shows as soon as nothing records any
 * more. A take without a camera that recorded has failed.
 */
export function takeStateOf(cameras: readonly TakeCamera[]): TakeState {
  const states = new Set(cameras.map(({ state }) => state));
  if (states.size === 0) return 'failed';
  for (const state of ['recording', 'starting', 'finishing'] as const) if (states.has(state)) return state;
  return states.has('failed') ? 'failed' : 'verified';
}

/** Whether anything of the take is still recording or starting to. */
export function isRunning(take: Take): boolean {
  return take.stoppedAt === null && (take.state === 'recording' || take.state === 'starting');
}

/** An appliance that keeps masters, by its id and by its present name. */
export interface Keeper {
  readonly id: string;
  readonly name: string;
}

/** Whether an appliance keeps a camera's master; null: this one. A release before this one noted only its name. */
export function isKeptBy({ device, deviceId }: TakeCamera, keeper: Keeper | null): boolean {
  if (keeper === null || device === null) return keeper === null && device === null;
  return deviceId === undefined ? device === keeper.name || device === keeper.id : deviceId === keeper.id;
}

/** Whether this machine keeps a camera's master. */
export function isOwn({ device }: TakeCamera): boolean {
  return device === null;
}

/** Whether a camera's part is not final yet. */
export function isAtWork({ state }: TakeCamera): boolean {
  return state === 'starting' || state === 'recording' || state === 'finishing';
}

/** Whether a camera is still recording its part, or starting to. */
export function isUnfinished({ state }: TakeCamera): boolean {
  return state === 'recording' || state === 'starting';
}

/**
 * This machine's part of a take whose masters were removed; the parts of other machines stay. Releases before this one
 * understand it.
 */
export function asRemoved(part: TakeCamera): TakeCamera {
  if (!isOwn(part)) return part;
  return { ...part, segments: 0, sizeBytes: 0, verified: false, reason: 'its master was deleted' };
}

/** Throws MASTER_ELSEWHERE if only another appliance has a camera's master. */
export function requireMasterHere({ id, cameras }: Take, camera: string): void {
  const parts = cameras.filter((one) => one.camera === camera);
  const keeper = parts[0]?.device ?? null;
  if (keeper === null || parts.some(({ device }) => device === null)) return;
  throw new ApplianceError('MASTER_ELSEWHERE', `${keeper} keeps the master of ${camera} in take ${id}.`, {
    hint: 'The page and the API of that appliance hand it out.',
  });
}

/** Throws MASTER_ELSEWHERE if this machine keeps no master of a take. */
export function requireOwnMasters({ id, cameras }: Take): void {
  if (cameras.some((one) => isOwn(one) && one.segments > 0)) return;
  throw new ApplianceError('MASTER_ELSEWHERE', `This appliance keeps no master of take ${id}.`, {
    hint: 'Use the page of the appliance that keeps them.',
  });
}

/** A camera of a take from which nothing has been heard yet; without a keeper it is this machine's. */
export function awaitedCamera(camera: string, keeper: Keeper | null): TakeCamera {
  return {
    camera,
    device: keeper?.name ?? null,
    ...(keeper === null ? {} : { deviceId: keeper.id }),
    state: 'starting',
    reason: null,
    frames: 0,
    droppedFrames: 0,
    sizeBytes: 0,
    segments: 0,
    verified: false,
  };
}
