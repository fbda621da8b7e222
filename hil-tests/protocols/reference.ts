/** One start of what a device is compared with. */
export interface ReferenceStart {
  /** From power on to multi-user.target, by the rig's clock. */
  readonly multiUserS: number;
  /** What systemd-analyze says of the start. */
  readonly analysis: readonly string[];
}

/** Debian without the product, on the same machine: the device itself has to be off meanwhile. */
export interface Reference {
  /** Starts it, waits until it is up, and switches it off. Rejects with RIG_TIMEOUT. */
  start(signal: AbortSignal): Promise<ReferenceStart>;
}
