import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { BlackBox } from '../black-box.ts';
import { type GateTiming, type HealthProbes, runHealthGate } from '../health/health-gate.ts';
import type { Rauc } from '../install/rauc.ts';
import { readKept } from '../store.ts';
import { aftermathOf } from './aftermath.ts';
import type { Slots } from './slots.ts';

/** Closes an attempt that was left open, with what the running slot can tell about it. */
export async function settleAttempt(
  box: BlackBox,
  slots: Slots,
  folder: string,
  logger: Logger,
): Promise<void> {
  const guardReport = join(folder, 'trial-guard.log');
  const open = box.open;
  if (open !== null) {
    const report = await readKept(guardReport, (text) => text, logger);
    const { outcome, reason } = aftermathOf(open, slots, report);
    if (report !== null) box.log(report.split('\n'));
    await box.close(outcome, reason);
    logger.warn(
      { version: open.version, outcome, reason },
      'an update ended without a report; this is known about it',
    );
  }
  await rm(guardReport, { force: true, recursive: true });
}

/**
 * An ordinary boot of the committed slot counts as good once the page answers; until then the early-boot agent counts it.
 * Failed units do not count: a worn-out disk fails its unit in the other slot as well, and is no reason to return to an older
 * version. True if it was confirmed.
 */
export async function confirmBoot(
  slots: Slots,
  parts: { probes: HealthProbes; timing: GateTiming; rauc: Rauc; logger: Logger },
  signal: AbortSignal,
): Promise<boolean> {
  const { probes, timing, rauc, logger } = parts;
  if (slots.booted !== slots.committed) return false;
  try {
    const product = { ...probes, failedUnits: async () => [] };
    const gate = { probes: product, baseline: null, timing, logger, now: () => performance.now() };
    const verdict = await runHealthGate(gate, signal);
    if (verdict.healthy) await rauc.markGood(signal);
    else logger.error({ missing: verdict.missing }, 'this boot is not confirmed');
    return verdict.healthy;
  } catch (error) {
    if (!signal.aborted) logger.error({ err: error }, 'this boot could not be confirmed');
    return false;
  }
}
