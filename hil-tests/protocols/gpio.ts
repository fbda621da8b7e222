/** Lines of the device that the rig drives and watches, by BCM number. */
export interface Gpio {
  /** `closed` connects the line to ground, as the jumper and the button do. */
  set(line: number, state: 'open' | 'closed'): Promise<void>;
  /** Level the device drives on an output. */
  read(line: number): Promise<0 | 1>;
}
