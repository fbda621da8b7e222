import type { Take, TakeCamera } from '../contract/index.ts';
import { rounded, sum } from './rounded.ts';

/**
 * What Home Assistant shows as attributes of a take: nothing that grows while it runs, because every change would be a row in
 * its database.
 */
export function takeDetails(take: Take | null, pageUrl: string | null) {
  return {
    take_id: take?.id ?? null,
    take_state: take?.state ?? null,
    take_started_at: take?.startedAt ?? null,
    take_stopped_at: take?.stoppedAt ?? null,
    take_url: pageUrl === null ? null : `${pageUrl.replace(/\/$/, '')}/#/takes`,
    duration_s: take === null ? null : takeSeconds(take),
    size_gb: take === null || !isOver(take) ? null : takeGigabytes(take),
    dropped_frames: take === null ? null : droppedOf(take),
    failures: take === null ? [] : failuresOf(take),
    masters: take?.cameras.map((camera) => masterDetails(camera, isOver(take))) ?? [],
  };
}

function masterDetails(master: TakeCamera, isSettled: boolean) {
  const { camera, device, state, reason, sizeBytes, droppedFrames, verified } = master;
  return {
    ...{ camera, device, state, reason, verified, dropped_frames: droppedFrames },
    size_gb: isSettled ? rounded(sizeBytes / 1e9, 2) : null,
  };
}

/** Whether a take is verified or failed. */
export const isOver = ({ state }: Take) => state === 'verified' || state === 'failed';
/** Size of a take's masters in GB. */
export const takeGigabytes = ({ cameras }: Take) =>
  rounded(sum(cameras.map((one) => one.sizeBytes)) / 1e9, 2);
/** Dropped frames of all cameras. */
export const droppedOf = ({ cameras }: Take) => sum(cameras.map(({ droppedFrames }) => droppedFrames));
/** What failed, as text; null if nothing did. */
export const failuresOf = ({ cameras }: Take) =>
  cameras
    .filter(({ state }) => state === 'failed')
    .map(({ camera, reason }) => `${camera}: ${reason ?? 'failed'}`);

/** From start to stop; null while it runs. */
export function takeSeconds({ startedAt, stoppedAt }: Take): number | null {
  return stoppedAt === null ? null : rounded((Date.parse(stoppedAt) - Date.parse(startedAt)) / 1000, 0);
}
