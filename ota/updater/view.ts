import type { Attempt } from '../black-box.ts';
import type { Release } from '../channel/manifest.ts';
import type { SlotName } from '../selector/slot.ts';
import { type Slots, slotViews } from './slots.ts';
import type { UpdateView } from './types.ts';

/** What the view is made of. */
export interface ViewSources {
  readonly installedVersion: string;
  readonly latest: Release | null;
  readonly state: UpdateView['state'];
  readonly reason: string | null;
  readonly unsupported: string | null;
  readonly progressPercent: number | null;
  readonly slots: Slots | null;
  readonly versions: Readonly<Record<SlotName, string | null>>;
  readonly attempts: readonly Attempt[];
}

/** The status of updates. Pure. */
export function composeView(from: ViewSources): UpdateView {
  const { installedVersion, latest, slots, attempts } = from;
  const last = attempts.findLast(({ outcome }) => outcome !== null);
  const isOpen = attempts.at(-1)?.outcome === null;
  const rolledBack = from.state === 'idle' && last?.outcome === 'rolled-back' && !isOpen;
  return {
    installedVersion,
    compatible: slots?.compatible ?? null,
    latestVersion: latest?.version ?? (slots === null ? null : installedVersion),
    releaseNotes: latest?.notes || null,
    state: rolledBack ? 'rolled-back' : from.state,
    progressPercent: from.progressPercent,
    reason: from.unsupported ?? from.reason ?? (rolledBack ? last.reason : null),
    slots: slots === null ? [] : slotViews(slots, installedVersion, from.versions),
    lastAttempt: last === undefined ? null : attemptView(last),
  };
}

function attemptView({ version, at, outcome, reason, stages }: Attempt): UpdateView['lastAttempt'] {
  return { version, at, outcome: outcome ?? 'failed', reason, stages: [...stages] };
}
