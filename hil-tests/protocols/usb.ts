/** A USB port into which the rig plugs disks while the device runs. */
export interface Usb {
  /** Plugs in a disk with these contents, a file of the rig's machine; disposing pulls it. */
  plug(image: string): Promise<AsyncDisposable>;
}
