import { sourceKind } from '../source-kind.ts';
import { buildV4l2Capture, type V4l2Source } from './command.ts';
import { settings } from './settings.ts';

/** A USB camera or capture card. */
export const kind = sourceKind({
  settings,
  camera: {
    opens: 'v4l2',
    named: ({ device }) => (device === 'auto' ? null : device),
    missing: ({ device }) =>
      device === 'auto' ? 'No USB camera was found.' : `${device} is not plugged in.`,
  },
  clock: 'epoch',
  async specOf(source, machine): Promise<V4l2Source> {
    const { id, bitrateKbps, keyframeIntervalS } = source;
    const mode = machine.modeOf(source) ?? { ...source, format: 'mjpeg' as const };
    const { width, height, fps, format } = mode;
    const device = machine.camera?.address ?? source.device;
    return { id, kind: 'v4l2', device, format, width, height, fps, bitrateKbps, keyframeIntervalS };
  },
  sends: ({ format }) => (format === 'h264' ? 'h264' : format === 'mjpeg' ? 'jpeg' : 'frames'),
  build: buildV4l2Capture,
});
