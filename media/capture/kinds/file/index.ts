import { sourceKind } from '../source-kind.ts';
import { buildFileCapture, copyReason, type FileSource } from './command.ts';
import { probeFile } from './probe.ts';
import { settings } from './settings.ts';
import { writeTurnLists } from './turn-lists.ts';

/** A video file that is played in a loop. */
export const kind = sourceKind({
  settings,
  clock: 'stream',
  async specOf({ id, path, encoder, bitrateKbps, keyframeIntervalS }, machine): Promise<FileSource> {
    const file = machine.path(path);
    const { copyable, ...facts } = await probeFile(file, machine.run);
    // A list of files has a line for each.
    const copies = copyable !== null && encoder === 'auto' && !/[\r\n]/.test(file);
    const spec = { id, kind: 'file', file, ...facts, copies, bitrateKbps, keyframeIntervalS } as const;
    if (!copies || copyable !== 'hevc') return spec;
    const list = machine.runFile(`${id}.ffconcat`);
    await writeTurnLists(list, file);
    return { ...spec, list };
  },
  sends: ({ copies }) => (copies ? 'h264' : 'frames'),
  copyReason,
  build: buildFileCapture,
  watches: ({ file }) => file,
});
