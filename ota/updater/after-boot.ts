import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pause, untilAborted } from '../../common/pause.ts';
import { betweenTakes } from './between-takes.ts';
import type { UpdaterParts } from './parts.ts';
import { confirmBoot, settleAttempt } from './settle.ts';
import type { Slots } from './slots.ts';
import { runTrial } from './trial.ts';

/** After a boot on trial: commits, or rolls back and waits for the restart. An abort of `giveUp` rolls back at once. */
export async function judgeTrial(
  parts: UpdaterParts,
  giveUp: AbortSignal,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const telling = reportTakesToGuard(parts, AbortSignal.any([signal, over.signal]));
  try {
    await judge(parts, giveUp, signal);
  } finally {
    over.abort();
    await telling;
  }
}

async function judge(parts: UpdaterParts, giveUp: AbortSignal, signal: AbortSignal): Promise<void> {
  const { box, rauc, slots, state, paths, timing } = parts;
  const { children, probes, folder, logger, installedVersion } = parts.options;
  state.set({ state: 'trial', reason: 'the new version has to prove itself' });
  await box.amend({ version: installedVersion });
  const committed = await runTrial(
    {
      box,
      rauc,
      children,
      probes,
      folder,
      logger,
      paths,
      timing: timing.gate,
      // A take that began during the trial ends first, as before every other restart.
      restart: (trial) =>
        betweenTakes(parts, { reason: 'goes back to the other slot after the take' }, signal, () =>
          parts.options.restart(trial),
        ),
    },
    signal,
    giveUp,
  );
  if (!committed) {
    state.set({ reason: box.last?.reason ?? null });
    return await untilAborted(signal);
  }
  logger.info({ version: installedVersion }, 'the update is committed');
  await slots.read();
  await slots.readVersions(signal);
  state.set({ state: 'idle', reason: null });
}

/** The image's guard of the trial does not end a take while this file is touched. Never rejects. */
async function reportTakesToGuard({ options, timing }: UpdaterParts, signal: AbortSignal): Promise<void> {
  const file = join(options.folder, 'trial-take');
  let reported = false;
  while (!signal.aborted) {
    try {
      if (options.takeRunning()) await writeFile(file, `${Date.now()}\n`);
      else await rm(file, { force: true });
    } catch (error) {
      if (!reported) options.logger.warn({ err: error }, 'the guard of the trial cannot learn of a take');
      reported = true;
    }
    await pause(Math.min(timing.tickMs, 5_000), signal);
  }
}

/** After any other boot: reports the result of the last attempt, and confirms this slot once it works. */
export async function settleBoot(parts: UpdaterParts, slots: Slots, signal: AbortSignal): Promise<void> {
  const { box, rauc, state, timing } = parts;
  const { folder, logger, probes } = parts.options;
  await settleAttempt(box, slots, folder, logger);
  state.set({ state: 'idle', reason: null });
  await parts.slots.readVersions(signal);
  // Continues while the offers are watched.
  void confirmBoot(slots, { probes, timing: timing.gate, rauc, logger }, signal)
    .then(async (confirmed) => {
      if (!confirmed) return;
      await parts.slots.read();
      state.changed();
    })
    .catch((error: unknown) => logger.error({ err: error }, 'the slots could not be read'));
}
