import { sourceKind } from '../source-kind.ts';
import { buildRtspCapture, type RtspSource } from './command.ts';
import { settings } from './settings.ts';

/** A network camera. */
export const kind = sourceKind({
  settings,
  clock: 'stream',
  async specOf({ id, url, username, password, passwordFile, transport }, machine): Promise<RtspSource> {
    const secret = passwordFile === undefined ? password : await machine.secret(passwordFile);
    return {
      id,
      kind: 'rtsp',
      url,
      transport,
      ...(username === undefined ? {} : { username }),
      ...(secret === undefined ? {} : { password: secret }),
    };
  },
  sends: () => 'h264',
  build: buildRtspCapture,
});
