import type { RunCommand } from '../run-command.ts';
import type { HotplugMonitorOptions } from './hotplug-monitor.ts';
import type { SystemRoots } from './video-nodes.ts';

/** The machine as the cameras' code sees it. Each part that is given replaces the machine's own. */
export interface CameraEdge {
  /** Runs v4l2-ctl and rpicam-hello. */
  readonly run?: RunCommand;
  readonly roots?: SystemRoots;
  readonly hotplug?: Pick<HotplugMonitorOptions, 'udevadm' | 'udevSocket' | 'devFolder'>;
}
