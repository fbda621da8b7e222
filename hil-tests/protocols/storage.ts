/** The device's medium, while the device is off. */
export interface Storage {
  /** Writes the image under test to the medium: a new device. */
  flash(): Promise<void>;
  /** Writes a file into the first partition, as an owner's PC does. */
  writeCard(name: string, contents: string): Promise<void>;
  /** The file's text, or null. */
  readCard(name: string): Promise<string | null>;
  /** Kernel's name of the second disk in the device, for SSD tests; null if the lab has none. */
  readonly ssdLabel: string | null;
}
