/** A camera that the rig can plug and unplug. */
export interface Video {
  plug(): Promise<void>;
  unplug(): Promise<void>;
}
