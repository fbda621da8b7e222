import type { CommandRunner } from './command-runner.ts';
import type { HotplugMonitorOptions } from './hotplug-monitor.ts';
import type { SystemRoots } from './video-nodes.ts';

/** The machine as the cameras' code sees it. Each part that is given replaces the machine's own. */
export interface CameraEdge {
  /** Runs v4l2-ctl and rpicam-hello. */
  readonly run?: CommandRunner;
  readonly roots?: SystemRoots;
  readonly hotplug?: Pick<HotplugMonitorOptions, 'udevadm' | 'udevSocket' | 'devFolder'>;
}
