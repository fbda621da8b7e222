import { existsSync } from 'node:fs';
import { sourceKind } from '../source-kind.ts';
import { buildTestCapture, type TestSource } from './command.ts';
import { settings } from './settings.ts';

/** Fonts for the burnt-in clock, in order of liking. */
const fonts = [
  '/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf',
  '/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf',
];

/** A generated picture. */
export const kind = sourceKind({
  settings,
  clock: 'epoch',
  async specOf({ id, width, height, fps, bitrateKbps, keyframeIntervalS }): Promise<TestSource> {
    const fontFile = fonts.find((file) => existsSync(file));
    const font = fontFile === undefined ? {} : { fontFile };
    return { id, kind: 'test', width, height, fps, bitrateKbps, keyframeIntervalS, ...font };
  },
  sends: () => 'frames',
  build: buildTestCapture,
});
