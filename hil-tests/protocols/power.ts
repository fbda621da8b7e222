/** Switches the device's supply. */
export interface Power {
  /** Resolves once the supply is on, without waiting for the device. */
  on(): Promise<void>;
  /** Cuts the supply: no shutdown, no warning. Idempotent. */
  off(): Promise<void>;
}
