import type { Take } from '../contract/index.ts';
import { isOwn, takeStateOf } from './take-state.ts';

/**
 * Takes on the disks of this machine and those it conducted, newest first: the disks know more about this machine's cameras.
 * Pure.
 */
export function merged(local: readonly Take[], conducted: readonly Take[]): Take[] {
  const takes = new Map(conducted.map((take) => [take.id, take]));
  for (const take of local) {
    const elsewhere = takes.get(take.id)?.cameras.filter((camera) => !isOwn(camera)) ?? [];
    const cameras = [...take.cameras, ...elsewhere];
    // A disk that was away when the take ended does not contain its end.
    const stoppedAt = take.stoppedAt ?? takes.get(take.id)?.stoppedAt ?? null;
    takes.set(take.id, { ...take, stoppedAt, cameras, state: takeStateOf(cameras) });
  }
  return [...takes.values()].sort((a, b) => b.startedAt.localeCompare(a.startedAt));
}

/**
 * The list after the disks were read again, because one of them may have come or gone. What is known already is newer than what
 * was just read, and `came` while it was read. Pure.
 */
export function relisted(known: readonly Take[], local: readonly Take[], came: readonly string[]): Take[] {
  const present = new Set([...local.map(({ id }) => id), ...came]);
  const still = known.flatMap((take) => (present.has(take.id) ? [take] : withoutVerified(take)));
  const here = new Set(still.filter(({ cameras }) => cameras.some(isOwn)).map(({ id }) => id));
  return merged(
    local.filter(({ id }) => !here.has(id)),
    still,
  );
}

/**
 * A take whose disk is away: without this machine's finished masters, or not at all if nothing is left then. A take that runs,
 * or did not end well, stays, because otherwise nobody would learn of it.
 */
function withoutVerified(take: Take): Take[] {
  const cameras = take.cameras.filter((camera) => !isOwn(camera) || camera.state !== 'verified');
  return cameras.length === 0 ? [] : [{ ...take, cameras }];
}
