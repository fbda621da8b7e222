import { failMember, hasVersion, isOpen, type Member, type Rollout, withMember } from './rollout.ts';

/** What a step depends on. */
export interface RolloutFacts {
  readonly nowMs: number;
  /** How long the hub has been watching, in ms: after a restart it knows nothing about absent members. */
  readonly watchedMs: number;
  readonly members: readonly Member[];
  /** A take runs somewhere, or is about to. */
  readonly take: boolean;
}

/** Times of a rollout, in milliseconds. */
export interface RolloutTiming {
  /** A member that has not returned with the version by then has failed. */
  readonly deadlineMs: number;
  /** A member that is idle this long after its order gets the order again. */
  readonly retellMs: number;
  /** The hub does not wait for cameras that have been away this long. */
  readonly awayMs: number;
}

/** The times of the product. */
export const defaultRolloutTiming: RolloutTiming = {
  deadlineMs: 45 * 60_000,
  retellMs: 30_000,
  awayMs: 5 * 60_000,
};

/** The rollout after a step, and what to do. */
export interface RolloutStep {
  readonly rollout: Rollout;
  /** The member that should install now. */
  readonly install: string | null;
}

/** How often a running take moves the deadline, in ms: each time is a write to the disk. */
const takeStepMs = 60_000;

/** One check of the members: the result of the one being updated, and which is next. Never two at a time. Pure. */
export function stepRollout(rollout: Rollout, facts: RolloutFacts, timing: RolloutTiming): RolloutStep {
  const observed = observe(rollout, facts, timing);
  const nobody = { rollout: observed, install: null };
  const underWay = observed.order.find((id) => observed.members[id]?.state === 'updating');
  if (underWay !== undefined && observed.phase === 'running')
    return retell(observed, underWay, facts, timing);
  if (underWay !== undefined || observed.phase !== 'running') return nobody;
  const next = choose(observed, facts, timing);
  if (next === 'done') return { rollout: { ...observed, phase: 'done', reason: null }, install: null };
  if (next.install === null) return { rollout: { ...observed, reason: next.reason }, install: null };
  const attemptBefore = viewOf(next.install, facts)?.update.attempt?.at ?? null;
  const begun = { state: 'updating', reason: null, attemptBefore } as const;
  const times = { startedMs: facts.nowMs, toldMs: facts.nowMs };
  return {
    rollout: { ...withMember(observed, next.install, { ...begun, ...times }), reason: null },
    install: next.install,
  };
}

/** Whether only cameras that have been away for long are left: a newer release need not wait for them. Pure. */
export function isLeftToAbsent(rollout: Rollout, facts: RolloutFacts, timing: RolloutTiming): boolean {
  const open = rollout.order.filter((id) => isOpen(rollout.members[id]));
  const isAway = (id: string) =>
    rollout.members[id]?.state === 'waiting' && awayFor(id, facts) >= timing.awayMs;
  return rollout.phase === 'running' && open.every(isAway);
}

type Choice =
  | 'done'
  | { readonly install: string; readonly reason: null }
  | { readonly install: null; readonly reason: string };

/** The canary before all others, the hub after them; absent members do not hold up the rest. */
function choose(rollout: Rollout, facts: RolloutFacts, timing: RolloutTiming): Choice {
  const waiting = rollout.order.filter((id) => rollout.members[id]?.state === 'waiting');
  if (waiting.length === 0) return 'done';
  if (takeRuns(facts)) return { install: null, reason: 'a take is running' };
  const { canary, hub } = rollout;
  const cameras = waiting.filter((id) => id !== hub);
  const canaryWaits = cameras.some((id) => id === canary);
  const candidates = cameras.filter((id) => !canaryWaits || id === canary);
  const hubMayGo = !canaryWaits && cameras.every((id) => awayFor(id, facts) >= timing.awayMs);
  if (hub !== null && waiting.includes(hub) && hubMayGo) candidates.push(hub);
  const ready = candidates.find((id) => whyNotNow(id, facts) === null);
  if (ready !== undefined) return { install: ready, reason: null };
  const [held = ''] = candidates;
  return { install: null, reason: `${rollout.members[held]?.name} is ${whyNotNow(held, facts)}` };
}

/** The order may have been lost with the link or a restart; the member's state shows it. */
function retell(rollout: Rollout, id: string, facts: RolloutFacts, { retellMs }: RolloutTiming): RolloutStep {
  const { nowMs } = facts;
  const view = viewOf(id, facts);
  const toldMs = rollout.members[id]?.toldMs ?? nowMs;
  const idle = view?.online === true && view.update.state === 'idle';
  if (!idle || nowMs - toldMs < retellMs) return { rollout, install: null };
  return { rollout: withMember(rollout, id, { toldMs: nowMs }), install: id };
}

function observe(rollout: Rollout, facts: RolloutFacts, timing: RolloutTiming): Rollout {
  let result = rollout;
  for (const [id, member] of Object.entries(rollout.members)) {
    const view = viewOf(id, facts);
    const settled = view?.online === true && view.update.state === 'idle';
    if (settled && hasVersion(view.version, rollout.version)) {
      if (isOpen(member)) {
        result = withMember(result, id, { state: 'done', reason: null });
      }
    } else if (member.state === 'updating') {
      const attempt = settled ? view.update.attempt : null;
      const elapsedMs = facts.nowMs - (member.startedMs ?? facts.nowMs);
      const late = elapsedMs > timing.deadlineMs;
      if (attempt !== null && attempt.at !== member.attemptBefore && !attempt.ok) {
        result = failMember(result, id, attempt.reason ?? 'its update failed');
      } else if (takeRuns(facts)) {
        // The installed version waits for the end of the take, and that time is not counted.
        if (elapsedMs > takeStepMs) result = withMember(result, id, { startedMs: facts.nowMs });
      } else if (late) {
        const reason = view?.online === true ? 'it did not finish in time' : 'it did not come back';
        result = failMember(result, id, reason);
      }
    }
  }
  return result;
}

function takeRuns({ take, members }: RolloutFacts): boolean {
  return take || members.some(({ recording }) => recording);
}

function whyNotNow(id: string, facts: RolloutFacts): string | null {
  const view = viewOf(id, facts);
  if (view === undefined || !view.online) return 'not connected';
  if (view.update.state === 'busy') return 'busy with another update';
  if (view.update.state === 'unsupported') return 'not able to update itself';
  return null;
}

function awayFor(id: string, facts: RolloutFacts): number {
  return viewOf(id, facts)?.awayMs ?? facts.watchedMs;
}

function viewOf(id: string, { members }: RolloutFacts): Member | undefined {
  return members.find((each) => each.id === id);
}
