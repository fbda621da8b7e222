import { buildRpicamCapture } from './rpicam-source.ts';
import { buildRtspCapture } from './rtsp-source.ts';
import { buildTestCapture } from './test-source.ts';
import type { CaptureCommand, CaptureTargets, SourceSpec } from './types.ts';
import { buildV4l2Capture } from './v4l2-source.ts';

/** Builds the pipeline of any source. Pure. @throws SourceSpecError */
export function buildCapture(source: SourceSpec, targets: CaptureTargets): CaptureCommand {
  switch (source.kind) {
    case 'test':
      return buildTestCapture(source, targets);
    case 'v4l2':
      return buildV4l2Capture(source, targets);
    case 'rtsp':
      return buildRtspCapture(source, targets);
    case 'rpicam':
      return buildRpicamCapture(source, targets);
  }
}
