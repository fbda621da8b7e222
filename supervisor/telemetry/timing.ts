/** The intervals of telemetry in milliseconds, in one place so that tests can shorten them. */
export interface TelemetryTiming {
  /** Wait after a change before looking, so that simultaneous changes are published together. */
  readonly coalesceMs: number;
  /** Least time between two states after an event. */
  readonly eventIntervalMs: number;
  /** Least time between two states when only figures drift. */
  readonly driftIntervalMs: number;
  /** Least time between two discovery documents: Home Assistant loses entities of one that overtakes another. */
  readonly discoveryIntervalMs: number;
  /** How long a missing item may take to return before its entities are removed. */
  readonly departureMs: number;
  /** Longest random wait after Home Assistant's birth message, so that not all devices answer at once. */
  readonly birthJitterMs: number;
  /** How long to wait for the document that an earlier run left on the broker. */
  readonly readBackMs: number;
  /** Wait before the picture of a feed that came online: an entity that is new in Home Assistant must listen first. */
  readonly snapshotDelayMs: number;
  readonly keepaliveS: number;
  readonly connectTimeoutMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A connection that lasted this long was a good one: the next backoff starts from the beginning. */
  readonly stableMs: number;
}

/** The intervals of the product. */
export const defaultTiming: TelemetryTiming = {
  coalesceMs: 250,
  eventIntervalMs: 1000,
  driftIntervalMs: 10_000,
  discoveryIntervalMs: 5000,
  departureMs: 15 * 60_000,
  birthJitterMs: 5000,
  readBackMs: 1000,
  snapshotDelayMs: 3000,
  keepaliveS: 30,
  connectTimeoutMs: 15_000,
  backoffMinMs: 1000,
  backoffMaxMs: 60_000,
  stableMs: 60_000,
};
