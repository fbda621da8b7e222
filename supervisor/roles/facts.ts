/** What the appliance is. */
export type Role = 'hub' | 'camera';

/** How the jumper reads; `absent`: this machine has no GPIO header. */
export type JumperReading = 'closed' | 'open' | 'unreadable' | 'absent';

/** A camera that this machine has, as the platform found it. */
export interface CameraFact {
  /** Stable across boots and ports where the hardware allows it. */
  readonly id: string;
  readonly kind: 'rpicam' | 'v4l2';
  /** Other names it goes by: `/dev/video0`, links below `/dev/v4l`. */
  readonly aliases: readonly string[];
  /** What to open now: a device path, or the number libcamera counts by. */
  readonly address: string;
  /** Name for people. */
  readonly label: string;
}

export interface RoleFacts {
  readonly jumper: JumperReading;
  /** The role before, where there was one. */
  readonly lastRole?: Role;
}

export interface HardwareFacts {
  readonly cameras: readonly CameraFact[];
}
