import { z } from 'zod';
import { compareVersions, isVersion } from '../version.ts';

/** What the hub knows about a machine it may update: a camera, or itself. */
export interface Member {
  readonly id: string;
  /** Its name for people. */
  readonly name: string;
  readonly online: boolean;
  /** How long it has been away, in milliseconds; 0 if it is there. */
  readonly awayMs: number;
  readonly version: string | null;
  /** Boards its bundles are for; null if it cannot say. */
  readonly compatible: string | null;
  readonly recording: boolean;
  /** What it says about its update. */
  readonly update: {
    /** `busy` also while a new version is on trial. */
    readonly state: 'idle' | 'busy' | 'unsupported';
    readonly reason: string | null;
    /** The last attempt that ended; `at` distinguishes attempts. */
    readonly attempt: { readonly at: string; readonly ok: boolean; readonly reason: string | null } | null;
  };
}

const memberStateSchema = z.object({
  name: z.string(),
  state: z.enum(['waiting', 'updating', 'done', 'failed', 'skipped']),
  reason: z.string().nullable(),
  /** When its update was begun and when it was last ordered, in ms of a clock that never goes back. */
  startedMs: z.number().nullable(),
  toldMs: z.number().nullable(),
  /** The attempt that had ended before: its result is not new. */
  attemptBefore: z.string().nullable(),
});

/** A rollout as it is saved. */
export const rolloutSchema = z.object({
  version: z.string().refine(isVersion),
  startedAt: z.string(),
  /** In the order they are updated: the canary first, the hub last. */
  order: z.array(z.string()),
  /** Goes first, and has to succeed before any other is updated; null if no camera takes part. */
  canary: z.string().nullable(),
  /** The hub itself; null if it takes no part. */
  hub: z.string().nullable(),
  members: z.record(z.string(), memberStateSchema),
  phase: z.enum(['running', 'paused', 'halted', 'done', 'cancelled']),
  reason: z.string().nullable(),
});

/** See {@link rolloutSchema}. */
export type Rollout = z.infer<typeof rolloutSchema>;
/** A member's part in a rollout. */
export type MemberState = z.infer<typeof memberStateSchema>;

/** What a rollout installs, as far as planning needs it. */
export interface Target {
  readonly version: string;
  readonly compatible: string;
  readonly minimumVersion: string | null;
}

/** Who asks for what. */
export interface RolloutRequest {
  /** Camera that goes first; null: the first by name that is connected. */
  readonly canary: string | null;
  /** Id of the hub if it should be updated, too. */
  readonly hub: string | null;
  /** RFC 3339; only for people. */
  readonly startedAt: string;
}

/**
 * Plans a rollout over the members: a machine that has the version counts as done, one that cannot take it is skipped with the
 * reason.
 */
export function planRollout(target: Target, members: readonly Member[], request: RolloutRequest): Rollout {
  const states = new Map(members.map((member) => [member.id, planned(target, member)]));
  const cameras = members
    .filter(({ id }) => id !== request.hub)
    .sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id))
    .map(({ id }) => id);
  const waits = (id: string) => states.get(id)?.state === 'waiting';
  const isThere = new Set(members.filter(({ online }) => online).map(({ id }) => id));
  const canary =
    cameras.find((id) => id === request.canary && waits(id)) ??
    cameras.find((id) => waits(id) && isThere.has(id)) ??
    cameras.find(waits) ??
    null;
  const hub = request.hub !== null && states.has(request.hub) ? request.hub : null;
  const order = [
    ...(canary === null ? [] : [canary]),
    ...cameras.filter((id) => id !== canary),
    ...(hub === null ? [] : [hub]),
  ];
  return {
    version: target.version,
    startedAt: request.startedAt,
    order,
    canary,
    hub,
    reason: null,
    members: Object.fromEntries(states),
    phase: order.some(waits) ? 'running' : 'done',
  };
}

/** Adds a member to a running rollout; if it is in it already and failed, it is tried again. */
export function includeMember(rollout: Rollout, target: Target, member: Member): Rollout {
  const known = rollout.members[member.id];
  if (known !== undefined && known.state !== 'failed' && known.state !== 'skipped') return rollout;
  const members = { ...rollout.members, [member.id]: planned(target, member) };
  const rest = rollout.order.filter((id) => id !== rollout.hub && id !== member.id);
  const order = rollout.order.includes(member.id)
    ? rollout.order
    : [...rest, member.id, ...(rollout.hub === null ? [] : [rollout.hub])];
  return { ...rollout, members, order, canary: rollout.canary ?? member.id };
}

/** Sets another canary; only before the first camera is updated. Null if it is too late or no such camera waits. */
export function chooseCanary(rollout: Rollout, id: string): Rollout | null {
  const states = Object.values(rollout.members);
  const touched = states.some(({ state, startedMs }) => startedMs !== null && state !== 'failed');
  const wanted = rollout.members[id]?.state;
  if (touched || id === rollout.hub || (wanted !== 'waiting' && wanted !== 'failed')) return null;
  return { ...rollout, canary: id, order: [id, ...rollout.order.filter((each) => each !== id)] };
}

/** Pauses it: no further order is sent. */
export function pauseRollout(rollout: Rollout): Rollout {
  return rollout.phase === 'running' ? { ...rollout, phase: 'paused', reason: null } : rollout;
}

/** Continues after a pause or a halt; failed members are tried again. */
export function resumeRollout(rollout: Rollout): Rollout {
  if (rollout.phase !== 'paused' && rollout.phase !== 'halted') return rollout;
  const members = mapMembers(rollout, (member) =>
    member.state === 'failed' ? { ...waiting(member.name), attemptBefore: member.attemptBefore } : member,
  );
  return { ...rollout, members, phase: 'running', reason: null };
}

/** Ends it: no further order is sent. What a camera has installed stays. */
export function cancelRollout(rollout: Rollout): Rollout {
  if (rollout.phase === 'done' || rollout.phase === 'cancelled') return rollout;
  const members = mapMembers(rollout, (member) =>
    isOpen(member) ? { ...member, state: 'skipped', reason: 'the rollout was cancelled' } : member,
  );
  return { ...rollout, members, phase: 'cancelled', reason: null };
}

/** The member could not be reached, or cannot now: it keeps waiting. */
export function postponeMember(rollout: Rollout, id: string, reason: string): Rollout {
  const member = rollout.members[id];
  if (member?.state !== 'updating') return rollout;
  const members = { ...rollout.members, [id]: { ...waiting(member.name), reason } };
  return { ...rollout, members, reason: `${member.name}: ${reason}` };
}

/** The member failed, or refused for good: everything stops. */
export function failMember(rollout: Rollout, id: string, reason: string): Rollout {
  const member = rollout.members[id];
  if (member === undefined) return rollout;
  const what = id === rollout.hub ? 'the hub' : id === rollout.canary ? 'the canary' : 'camera';
  return {
    ...rollout,
    members: { ...rollout.members, [id]: { ...member, state: 'failed', reason } },
    phase: 'halted',
    reason: `${what} ${member.name} failed: ${reason}`,
  };
}

/** Whether it still has to be updated, or is being updated. */
export function isOpen(member: MemberState | undefined): boolean {
  return member?.state === 'waiting' || member?.state === 'updating';
}

/** The rollout with a change to one member. */
export function withMember(rollout: Rollout, id: string, change: Partial<MemberState>): Rollout {
  const member = rollout.members[id];
  if (member === undefined) return rollout;
  return { ...rollout, members: { ...rollout.members, [id]: { ...member, ...change } } };
}

/** The rollout with a change to every member. */
export function mapMembers(
  { members }: Rollout,
  change: (member: MemberState) => MemberState,
): Rollout['members'] {
  return Object.fromEntries(Object.entries(members).map(([id, member]) => [id, change(member)]));
}

/** Whether a machine runs this version or a newer one. */
export function hasVersion(installed: string | null, version: string): boolean {
  if (installed === null || !isVersion(installed)) return false;
  return compareVersions(installed, version) >= 0;
}

function planned(target: Target, { name, version, compatible, update }: Member): MemberState {
  const passedOver = (reason: string): MemberState => ({ ...waiting(name), state: 'skipped', reason });
  if (hasVersion(version, target.version)) return { ...waiting(name), state: 'done' };
  if (update.state === 'unsupported') return passedOver(update.reason ?? 'it cannot update itself');
  if (compatible !== target.compatible) return passedOver(`the bundle is not for ${compatible ?? 'it'}`);
  if (target.minimumVersion !== null && !hasVersion(version, target.minimumVersion)) {
    return passedOver(`it needs ${target.minimumVersion} first`);
  }
  return waiting(name);
}

function waiting(name: string): MemberState {
  return { name, state: 'waiting', reason: null, startedMs: null, toldMs: null, attemptBefore: null };
}
