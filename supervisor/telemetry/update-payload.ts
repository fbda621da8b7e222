import type { Update } from '../api/contract.ts';

/**
 * State of Home Assistant's `update` entity. It refuses a state with any other key, so these are all there may be.
 */
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
 * The versions are those of the slot that is really booted, so a rolled-back update is offered again by itself.
 * Where no newer version is known, the latest one is the installed one.
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

/** What went wrong comes before the release notes: Home Assistant shows 255 characters. */
function summaryOf(update: Update): string {
  const notes = update.releaseNotes ?? '';
  const text = update.reason === null ? notes : `${update.reason}${notes === '' ? '' : `\n\n${notes}`}`;
  return text.length <= longestSummary ? text : `${text.slice(0, longestSummary - 1)}…`;
}
