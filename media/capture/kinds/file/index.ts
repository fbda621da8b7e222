import { sourceKind } from '../source-kind.ts';
import { buildFileCapture, copyReason, type FileSource } from './command.ts';
import { probeFile } from './probe.ts';
import { settings } from './settings.ts';

/** A video file that is played in a loop. */
export const kind = sourceKind({
  settings,
  clock: 'stream',
  async specOf({ id, path, encoder, bitrateKbps, keyframeIntervalS }, machine): Promise<FileSource> {
    const file = machine.path(path);
    const { copyable, ...facts } = await probeFile(file, machine.run);
    // A list of files has a line for each.
    const copies = copyable && encoder === 'auto' && !/[\r\n]/.test(file);
    return { id, kind: 'file', file, ...facts, copies, bitrateKbps, keyframeIntervalS };
  },
  sends: ({ copies }) => (copies ? 'h264' : 'frames'),
  copyReason,
  build: buildFileCapture,
  watches: ({ file }) => file,
});
