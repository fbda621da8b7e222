import { sourceKind } from '../source-kind.ts';
import { buildRtspCapture, type RtspSource } from './command.ts';
import { settings } from './settings.ts';

/** A network camera. */
export const kind = sourceKind({
  settings,
  clock: 'stream',
  async specOf({ id, url, username, passwordFile, transport }, machine): Promise<RtspSource> {
    return {
      id,
      kind: 'rtsp',
      url,
      transport,
      ...(username === undefined ? {} : { username }),
      ...(passwordFile === undefined ? {} : { password: await machine.secret(passwordFile) }),
    };
  },
  sends: () => 'h264',
  build: buildRtspCapture,
});
