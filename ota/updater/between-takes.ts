import { setTimeout as sleep } from 'node:timers/promises';
import type { UpdaterParts } from './parts.ts';

/**
 * Runs work that would interrupt a take, such as a restart: once no take runs, and alone among the tasks that exclude each
 * other. Meanwhile the status shows `reason`. With `force` no take is waited for. Rejects if the signal ends the wait.
 */
export async function betweenTakes(
  { options, state, timing }: UpdaterParts,
  { reason, force = false }: { readonly reason: string; readonly force?: boolean },
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  const mustWait = () => options.takeRunning() && !force;
  for (let done = false; !done; ) {
    while (mustWait()) {
      state.set({ reason });
      await sleep(Math.min(timing.tickMs, 2_000), undefined, { signal });
    }
    done = await options.exclusive(async () => {
      // One may have begun while this waited for its turn.
      if (mustWait()) return false;
      await work();
      return true;
    });
  }
}
