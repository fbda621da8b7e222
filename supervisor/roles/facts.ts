/** What the appliance is. */
export type Role = 'hub' | 'camera';

/** The reading of the jumper; `absent`: this machine has no GPIO header. */
export type JumperReading = 'closed' | 'open' | 'unreadable' | 'absent';

/** A camera of this machine, as the platform found it. */
export interface CameraFact {
  /** Stable across boots and ports where the hardware allows it. */
  readonly id: string;
  readonly kind: 'rpicam' | 'v4l2';
  /** Its other names: `/dev/video0`, links below `/dev/v4l`. */
  readonly aliases: readonly string[];
  /** What to open now: a device path, or libcamera's number. */
  readonly address: string;
  /** Name for people. */
  readonly label: string;
}

/** What decides the role. */
export interface RoleFacts {
  readonly jumper: JumperReading;
  /** The role before; absent at the first start. */
  readonly lastRole?: Role;
}

/** What is plugged in. */
export interface HardwareFacts {
  readonly cameras: readonly CameraFact[];
}
