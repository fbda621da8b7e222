import type { RolloutMember, Status, Update } from '../contract/index.ts';
import { keyOf } from './item-keys.ts';

/** State of Home Assistant's `update` entity. It rejects a state with any other key, so there are no more. */
export interface UpdatePayload {
  readonly installed_version: string;
  readonly latest_version: string;
  readonly title: string;
  readonly release_summary: string;
  readonly in_progress: boolean;
  readonly update_percentage: number | null;
}

const longestSummary = 255;
const busyStates: readonly Update['state'][] = ['downloading', 'installing', 'armed', 'trial'];

/**
 * The versions are those of the slot that is really booted, so an update that was rolled back is offered again by itself. If no
 * newer version is known, the latest one is the installed one.
 */
export function updatePayload(update: Update): UpdatePayload {
  const busy = busyStates.includes(update.state);
  return {
    installed_version: update.installedVersion,
    latest_version: update.latestVersion ?? update.installedVersion,
    title: 'Rushlight',
    release_summary: summaryOf(update),
    in_progress: busy,
    update_percentage: busy && update.progressPercent !== null ? Math.round(update.progressPercent) : null,
  };
}

/** The same for each camera that a hub updates, by the camera's key; a camera that reports no version has none. */
export function cameraUpdatePayloads({ rollout }: Status): Readonly<Record<string, UpdatePayload>> {
  const cameras = (rollout?.members ?? []).filter(({ role }) => role === 'camera');
  return Object.fromEntries(
    cameras.flatMap((member) => {
      const payload = memberPayload(member);
      return payload === null ? [] : [[keyOf(member.id), payload]];
    }),
  );
}

function memberPayload(member: RolloutMember): UpdatePayload | null {
  const { installedVersion, latestVersion, busy, progressPercent } = member;
  if (installedVersion === null) return null;
  return {
    installed_version: installedVersion,
    latest_version: latestVersion ?? installedVersion,
    title: 'Rushlight',
    release_summary: summaryOf(member),
    in_progress: busy,
    update_percentage: busy && progressPercent !== null ? Math.round(progressPercent) : null,
  };
}

/** The error comes before the release notes: Home Assistant shows 255 characters. */
function summaryOf({ releaseNotes, reason }: Pick<Update, 'releaseNotes' | 'reason'>): string {
  const notes = releaseNotes ?? '';
  const text = reason === null ? notes : `${reason}${notes === '' ? '' : `\n\n${notes}`}`;
  return text.length <= longestSummary ? text : `${text.slice(0, longestSummary - 1)}…`;
}
