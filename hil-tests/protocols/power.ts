/** Switches the device's supply. */
export interface Power {
  /** Resolves once the supply is on, not once the device is up. */
  on(): Promise<void>;
  /** Cuts the supply: no shutdown, no warning. Idempotent. */
  off(): Promise<void>;
}
