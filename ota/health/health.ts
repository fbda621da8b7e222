import { z } from 'zod';

/** The result of one probe; `ok: null` if this machine has no such function (a camera has no SFU). */
const probeSchema = z.object({ ok: z.boolean().nullable(), detail: z.string().nullable() });
/** See {@link probeSchema}. */
export type Probe = z.infer<typeof probeSchema>;

/** How well everything works that a user would miss. */
export const healthSchema = z.object({
  /** By source id: whether frames came in the last seconds. */
  cameras: z.record(z.string(), z.boolean()),
  /** The SFU answers a viewer of its own, and media arrives there. */
  selfView: probeSchema,
  /** The recorder writes and syncs a file where the masters lie. */
  recorder: probeSchema,
  /** A camera's link to its hub. */
  hubLink: probeSchema,
  /** The page and the API answer. */
  page: probeSchema,
  /** The clock is set and runs. */
  clock: probeSchema,
  failedUnits: z.array(z.string()),
});
/** See {@link healthSchema}. */
export type Health = z.infer<typeof healthSchema>;

/** Whether a machine works as well as before. */
export interface Verdict {
  readonly healthy: boolean;
  /** What worked before and does not now, in words. */
  readonly missing: readonly string[];
}

const functions = [
  ['selfView', 'the SFU does not answer a viewer'],
  ['recorder', 'the recorder does not write'],
  ['hubLink', 'the link to the hub is down'],
  ['page', 'the page does not answer'],
  ['clock', 'the clock is wrong'],
] as const satisfies readonly (readonly [keyof Health, string])[];

/**
 * Compares with what worked before the update: nothing that worked may be missing. The page has to answer in any case. Without
 * a baseline (a confirmed slot after a plain boot) only the page and the absence of failures count.
 */
export function judgeHealth(baseline: Health | null, now: Health): Verdict {
  const missing: string[] = [];
  const gone = Object.entries(baseline?.cameras ?? {})
    .filter(([id, gave]) => gave && now.cameras[id] !== true)
    .map(([id]) => id);
  if (gone.length > 0) missing.push(`no frames from ${gone.sort().join(', ')}`);
  for (const [name, words] of functions) {
    const expected = name === 'page' || baseline?.[name].ok === true;
    if (!expected || now[name].ok === true) continue;
    const detail = now[name].detail;
    missing.push(detail === null ? words : `${words}: ${detail}`);
  }
  const before = new Set(baseline?.failedUnits ?? []);
  const failed = now.failedUnits.filter((unit) => !before.has(unit));
  if (failed.length > 0) missing.push(`failed: ${failed.sort().join(', ')}`);
  return { healthy: missing.length === 0, missing };
}
