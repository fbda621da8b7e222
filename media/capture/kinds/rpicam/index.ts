import { sourceKind } from '../source-kind.ts';
import { buildRpicamCapture, type RpicamSource } from './command.ts';
import { settings } from './settings.ts';

/** A camera module. */
export const kind = sourceKind({
  settings,
  camera: {
    opens: 'rpicam',
    named: ({ camera }) => `${camera}`,
    missing: ({ camera }) => `No camera module number ${camera} was found.`,
  },
  clock: 'epoch',
  async specOf(source, machine): Promise<RpicamSource> {
    const { label: _label, enabled: _enabled, record: _record, encoder: _encoder, ...settled } = source;
    const { small: _small, smallWidth: _width, smallBitrateKbps: _bitrate, ...rest } = settled;
    const tuningFile = rest.tuningFile === undefined ? undefined : machine.path(rest.tuningFile);
    // The sensor's times of its frames are read beside the pictures.
    return withoutUndefined({ ...rest, tuningFile, ptsFile: machine.runFile(`${source.id}.pts`) });
  },
  sends: () => 'frames',
  build: buildRpicamCapture,
});

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Unset fields are left out: the media plane accepts an absent field, but not an undefined one. */
function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}
