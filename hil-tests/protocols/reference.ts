/** One start of the system that a device is compared with. */
export interface ReferenceStart {
  /** From power on to multi-user.target, by the rig's clock. */
  readonly multiUserS: number;
  /** What systemd-analyze says about the start. */
  readonly analysis: readonly string[];
}

/** Debian without the product, on the same machine: the device itself must be off meanwhile. */
export interface Reference {
  /** Starts it, waits until it is up, and switches it off. Rejects with RIG_TIMEOUT. */
  start(signal: AbortSignal): Promise<ReferenceStart>;
}
