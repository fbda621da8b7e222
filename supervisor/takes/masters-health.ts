import { describeError } from '../../common/errors.ts';
import { diskObstacle, type Masters, type Take, type TakeStore } from '../../media/index.ts';

/** More names than this are no help. */
const namesAtMost = 5;

/** What is wrong with the disks of the masters or with kept masters, as a sentence; null if nothing is. */
export async function mastersTrouble(
  masters: Pick<Masters, 'diskTrouble'>,
  store: Pick<TakeStore, 'root' | 'all'>,
  silence: string | null = null,
): Promise<string | null> {
  const troubles = [
    silence ?? masters.diskTrouble ?? (await diskObstacle(store.root)),
    await store.all().then(damageIn, (error: unknown) => `takes cannot be read: ${describeError(error)}`),
  ].filter((one) => one !== null);
  return troubles.length === 0 ? null : troubles.join('; ');
}

/** Which takes are damaged, in words; null if none is. Pure. */
export function damageIn(takes: readonly Pick<Take, 'manifest' | 'damage'>[]): string | null {
  const unread = takes.filter(({ damage }) => damage !== null).map(({ manifest }) => manifest.id);
  const masters = takes.flatMap(({ manifest, damage }) =>
    damage !== null
      ? []
      : Object.entries(manifest.cameras)
          .filter(([, { segments }]) =>
            segments.some(({ verified, checkedAt }) => checkedAt !== null && verified?.ok === false),
          )
          .map(([camera]) => `${camera} of take ${manifest.id}`),
  );
  const parts = [
    masters.length === 0 ? null : `kept masters are damaged: ${listed(masters)}`,
    unread.length === 0 ? null : `take.json is damaged of take ${listed(unread)}`,
  ].filter((one) => one !== null);
  return parts.length === 0 ? null : parts.join('; ');
}

function listed(names: readonly string[]): string {
  const first = names.slice(0, namesAtMost).join(', ');
  return names.length > namesAtMost ? `${first} and ${names.length - namesAtMost} more` : first;
}
