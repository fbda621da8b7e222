import type { Member, MemberState, Release, Rollout } from '../../ota/index.ts';
import type { RolloutMember, Rollout as RolloutView, Update } from '../contract/index.ts';

/** What is known about a machine besides its part in the rollout. */
export interface KnownMember {
  readonly member: Member;
  readonly role: RolloutMember['role'];
  readonly update: Pick<Update, 'progressPercent' | 'reason'> | null;
  /** The newest release it can get. */
  readonly offer: Release | null;
}

/** What the view is made of. */
export interface RolloutViewSources {
  readonly rollout: Rollout | null;
  readonly release: Release | null;
  readonly cachingPercent: number | null;
  readonly known: readonly KnownMember[];
  /** What a rollout would bring now. */
  readonly available: Release | null;
}

/** The view without a rollout. */
export const noRollout: RolloutView = {
  available: null,
  version: null,
  startedAt: null,
  phase: 'none',
  reason: null,
  canary: null,
  cachingPercent: null,
  members: [],
};

/** Puts together what API, page and MQTT show of a rollout. Pure. */
export function rolloutView(sources: RolloutViewSources): RolloutView {
  const { rollout, available, known, cachingPercent } = sources;
  const order = rollout?.order ?? [];
  const others = known.filter(({ member }) => !order.includes(member.id));
  others.sort((a, b) => rank(a) - rank(b) || a.member.name.localeCompare(b.member.name));
  const ids = [...order, ...others.map(({ member }) => member.id)];
  return {
    available:
      available === null
        ? null
        : {
            version: available.version,
            notes: available.notes,
            compatible: available.compatible,
            sizeBytes: available.sizeBytes,
          },
    version: rollout?.version ?? null,
    startedAt: rollout?.startedAt ?? null,
    phase: rollout?.phase ?? 'none',
    reason: rollout?.reason ?? null,
    canary: rollout?.canary ?? null,
    cachingPercent,
    members: ids.map((id) => memberView(id, sources)),
  };
}

function memberView(id: string, { rollout, release, known }: RolloutViewSources): RolloutMember {
  const part = rollout?.members[id] ?? null;
  const one = known.find(({ member }) => member.id === id);
  const open =
    part !== null && (part.state === 'waiting' || part.state === 'updating' || part.state === 'failed');
  const latest = open ? release : (one?.offer ?? null);
  const installedVersion = one?.member.version ?? null;
  const busy = one?.member.update.state === 'busy' || part?.state === 'updating';
  return {
    id,
    name: one?.member.name ?? part?.name ?? id,
    role: one?.role ?? (id === rollout?.hub ? 'hub' : 'camera'),
    online: one?.member.online ?? false,
    installedVersion,
    latestVersion: latest?.version ?? installedVersion,
    releaseNotes: latest?.notes || null,
    state: part?.state ?? null,
    busy,
    progressPercent: busy ? (one?.update?.progressPercent ?? null) : null,
    reason: reasonOf(part, one),
  };
}

/** The rollout's reason first, then its own. */
function reasonOf(part: MemberState | null, one: KnownMember | undefined): string | null {
  return part?.reason ?? one?.update?.reason ?? one?.member.update.reason ?? null;
}

function rank({ role }: KnownMember): number {
  return role === 'hub' ? 1 : 0;
}
