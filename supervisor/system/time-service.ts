import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { pause } from '../../common/pause.ts';
import type { HubLink } from '../contract/index.ts';
import type { Clock, ClockReading } from '../platform/time/clock.ts';
import { serverOfUrl, type TimeRole, writeTimeRole } from '../platform/time/time-sources.ts';
import type { Role } from '../roles/index.ts';

/** What the time service needs. */
export interface TimeServiceOptions {
  readonly clock: Clock;
  /** Where the system's units look for whose time to keep (`/run/rushlight`); null if there are none. */
  readonly folder: string | null;
  readonly role: () => TimeRole;
  /** A clock that jumps would damage a take. */
  readonly recording: () => boolean;
  readonly log: Logger;
}

const everyMs = 5000;
/** For smaller differences chronyd slews: at most 83 ms in a second. */
const stepBeyondMs = 1000;
/** A step takes effect within this time; it is not requested again meanwhile. */
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

  /** The clock at the last look; null if no time service answers. */
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
      log.error({ err: error }, 'the choice of time server could not be saved for the time service');
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

/** Whose time this appliance keeps. It follows only a hub that accepted the camera. Pure. */
export function timeRole(role: Role, link: HubLink | null): TimeRole {
  if (role === 'hub') return { kind: 'serve' };
  const url = link?.state === 'connected' ? link.url : null;
  return { kind: 'follow', server: url === null ? null : serverOfUrl(url) };
}

/** A hub that is away for a while is still the one to follow: chronyd keeps asking. Pure. */
export function roleToReport(before: TimeRole | null, now: TimeRole): TimeRole {
  const keeps = now.kind === 'follow' && now.server === null && before?.kind === 'follow';
  return keeps ? before : now;
}

/** Whether the clock is so far off that slewing would take minutes. Pure. */
export function isStepDue(reading: ClockReading | null): boolean {
  return reading !== null && reading.offsetMs !== null && Math.abs(reading.offsetMs) > stepBeyondMs;
}
