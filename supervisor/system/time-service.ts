import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { pause } from '../../common/pause.ts';
import type { HubLink } from '../contract/index.ts';
import type { Clock, ClockReading } from '../platform/time/clock.ts';
import { serverOfUrl, type TimeRole, writeTimeRole } from '../platform/time/time-sources.ts';
import type { Role } from '../roles/facts.ts';

export interface TimeServiceOptions {
  readonly clock: Clock;
  /** Where the system's units look for whose time to keep (`/run/rushlight`); null where none do. */
  readonly folder: string | null;
  readonly role: () => TimeRole;
  /** A clock that jumps would tear a take apart. */
  readonly recording: () => boolean;
  readonly log: Logger;
}

const everyMs = 5000;
/** Below, chronyd slews: at its fastest it makes up 83 ms in a second. */
const stepBeyondMs = 1000;
/** A step takes effect within this time; it is not asked for again meanwhile. */
const stepRestMs = 60_000;

/**
 * Keeps the time of the role: the hub serves its own, a camera follows its hub's. One datagram to chronyd every 5 s, no
 * program.
 */
export class TimeService {
  readonly #options: TimeServiceOptions;
  #latest: ClockReading | null = null;
  #reported: TimeRole | null = null;
  #steppedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: TimeServiceOptions) {
    this.#options = options;
  }

  /** The clock as of the last look; null where no time service answers. */
  get latest(): ClockReading | null {
    return this.#latest;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#latest = await this.#options.clock.read();
      await this.#tell();
      await pause(everyMs, signal);
    }
  }

  async #tell(): Promise<void> {
    const { folder, log } = this.#options;
    if (folder === null) return;
    const role = roleToReport(this.#reported, this.#options.role());
    const step = this.#mustStep();
    if (!step && isDeepStrictEqual(role, this.#reported)) return;
    try {
      await writeTimeRole(folder, role, step);
      log.info(
        { ...role, ...(step ? { offsetMs: this.#latest?.offsetMs } : {}) },
        step ? 'the clock steps' : 'time',
      );
      this.#reported = role;
    } catch (error) {
      log.error({ err: error }, 'the time service cannot be told whose time to keep');
    }
  }

  #mustStep(): boolean {
    const { recording } = this.#options;
    if (!isStepDue(this.#latest) || recording()) return false;
    if (performance.now() - this.#steppedAtMs < stepRestMs) return false;
    this.#steppedAtMs = performance.now();
    return true;
  }
}

/** Whose time this appliance keeps. Only a hub that took the camera in is followed. Pure. */
export function timeRole(role: Role, link: HubLink | null): TimeRole {
  if (role === 'hub') return { kind: 'serve' };
  const url = link?.state === 'connected' ? link.url : null;
  return { kind: 'follow', server: url === null ? null : serverOfUrl(url) };
}

/** A hub that is away for a while is still the one to follow: chronyd asks on. Pure. */
export function roleToReport(before: TimeRole | null, now: TimeRole): TimeRole {
  const keeps = now.kind === 'follow' && now.server === null && before?.kind === 'follow';
  return keeps ? before : now;
}

/** Whether the clock is so far off that slewing would take minutes. Pure. */
export function isStepDue(reading: ClockReading | null): boolean {
  return reading !== null && reading.offsetMs !== null && Math.abs(reading.offsetMs) > stepBeyondMs;
}
