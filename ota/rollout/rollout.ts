import { z } from 'zod';

/** What the hub sees of a camera. */
export interface CameraView {
  readonly id: string;
  readonly online: boolean;
  readonly version: string | null;
  readonly recording: boolean;
  /** The camera's own word on its update: whether it works on one, or the last one failed, and why. */
  readonly update: {
    readonly state: 'idle' | 'busy' | 'failed' | 'unsupported';
    readonly reason: string | null;
  };
}

const cameraStateSchema = z.object({
  state: z.enum(['waiting', 'updating', 'done', 'failed', 'skipped']),
  reason: z.string().nullable(),
  /** When its update was begun, in ms of a clock that never goes back. */
  startedMs: z.number().nullable(),
});

export const rolloutSchema = z.object({
  version: z.string(),
  /** In the order they are updated; the first is the canary. */
  order: z.array(z.string()),
  cameras: z.record(z.string(), cameraStateSchema),
  phase: z.enum(['running', 'paused', 'halted', 'done']),
  reason: z.string().nullable(),
});

export type Rollout = z.infer<typeof rolloutSchema>;
export type CameraState = z.infer<typeof cameraStateSchema>;

export interface RolloutFacts {
  readonly nowMs: number;
  readonly cameras: readonly CameraView[];
  /** A take runs somewhere, or is about to. */
  readonly take: boolean;
  /** A camera that has not come back with the version by then has failed. */
  readonly cameraDeadlineMs: number;
}

export interface RolloutStep {
  readonly rollout: Rollout;
  /** The camera to be told to install now. */
  readonly install: string | null;
}

/** Plans a rollout: those that have the version already are done, the named canary (or the first) goes first. */
export function planRollout(version: string, cameras: readonly CameraView[], canary: string | null): Rollout {
  const ids = cameras.map(({ id }) => id).sort();
  const first = canary !== null && ids.includes(canary) ? canary : (ids.find((id) => needs(id)) ?? ids[0]);
  const order = first === undefined ? [] : [first, ...ids.filter((id) => id !== first)];
  const states = order.map((id): [string, CameraState] => [
    id,
    { state: needs(id) ? 'waiting' : 'done', reason: null, startedMs: null },
  ]);
  const waiting = states.some(([, { state }]) => state === 'waiting');
  return {
    version,
    order,
    cameras: Object.fromEntries(states),
    phase: waiting ? 'running' : 'done',
    reason: null,
  };

  function needs(id: string): boolean {
    return cameras.find((camera) => camera.id === id)?.version !== version;
  }
}

/** One look at the cameras: what became of the one under way, and which is next. Never two at a time. */
export function stepRollout(rollout: Rollout, facts: RolloutFacts): RolloutStep {
  const observed = observe(rollout, facts);
  if (observed.phase !== 'running') return { rollout: observed, install: null };
  if (Object.values(observed.cameras).some(({ state }) => state === 'updating')) {
    return { rollout: observed, install: null };
  }
  const next = observed.order.find((id) => observed.cameras[id]?.state === 'waiting');
  if (next === undefined) return { rollout: { ...observed, phase: 'done', reason: null }, install: null };
  const wait = whyNotNow(next, facts);
  if (wait !== null) return { rollout: { ...observed, reason: wait }, install: null };
  const view = facts.cameras.find(({ id }) => id === next);
  if (view?.update.state === 'unsupported') {
    return stepRollout(withCamera(observed, next, 'skipped', 'it cannot update itself'), facts);
  }
  const updating = { state: 'updating', reason: null, startedMs: facts.nowMs } as const;
  const cameras = { ...observed.cameras, [next]: updating };
  return { rollout: { ...observed, cameras, reason: null }, install: next };
}

/** The order to install did not get through, or was refused. */
export function refuseRollout(rollout: Rollout, id: string, reason: string): Rollout {
  return halt(withCamera(rollout, id, 'failed', reason), id, reason);
}

export function pauseRollout(rollout: Rollout): Rollout {
  return rollout.phase === 'running' ? { ...rollout, phase: 'paused', reason: 'paused' } : rollout;
}

/** Goes on after a pause or a halt; what failed is tried again. */
export function resumeRollout(rollout: Rollout): Rollout {
  if (rollout.phase !== 'paused' && rollout.phase !== 'halted') return rollout;
  const cameras = Object.fromEntries(
    Object.entries(rollout.cameras).map(([id, camera]) => [
      id,
      camera.state === 'failed' ? { state: 'waiting' as const, reason: null, startedMs: null } : camera,
    ]),
  );
  return { ...rollout, cameras, phase: 'running', reason: null };
}

function observe(rollout: Rollout, facts: RolloutFacts): Rollout {
  let result = rollout;
  for (const [id, camera] of Object.entries(rollout.cameras)) {
    if (camera.state !== 'updating') continue;
    const view = facts.cameras.find((each) => each.id === id);
    if (view?.online === true && view.version === rollout.version && view.update.state === 'idle') {
      result = withCamera(result, id, 'done', null);
    } else if (view?.online === true && view.update.state === 'failed') {
      const reason = view.update.reason ?? 'its update failed';
      result = halt(withCamera(result, id, 'failed', reason), id, reason);
    } else if (facts.nowMs - (camera.startedMs ?? facts.nowMs) > facts.cameraDeadlineMs) {
      const reason = view?.online === true ? 'it did not finish in time' : 'it did not come back';
      result = halt(withCamera(result, id, 'failed', reason), id, reason);
    }
  }
  return result;
}

function whyNotNow(id: string, facts: RolloutFacts): string | null {
  if (facts.take || facts.cameras.some(({ recording }) => recording)) return 'a take is running';
  const view = facts.cameras.find((each) => each.id === id);
  if (view === undefined || !view.online) return `${id} is not connected`;
  if (view.update.state === 'busy') return `${id} is busy with an update`;
  return null;
}

function halt(rollout: Rollout, id: string, reason: string): Rollout {
  const what = rollout.order[0] === id ? 'the canary' : 'camera';
  return { ...rollout, phase: 'halted', reason: `${what} ${id} failed: ${reason}` };
}

function withCamera(
  rollout: Rollout,
  id: string,
  state: CameraState['state'],
  reason: string | null,
): Rollout {
  const startedMs = rollout.cameras[id]?.startedMs ?? null;
  return { ...rollout, cameras: { ...rollout.cameras, [id]: { state, reason, startedMs } } };
}
