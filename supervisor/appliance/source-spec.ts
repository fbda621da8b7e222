import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { SourceSpec } from '../../media/index.ts';
import { resolveConfigPath } from '../config/load.ts';
import type { DesiredPipeline } from '../roles/desired-state.ts';

/** Fonts for the burnt-in clock, in order of liking. */
const fonts = [
  '/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf',
  '/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf',
];

/**
 * What the media plane needs to know of a source. Formats that the settings leave open are chosen from what the camera
 * offers; secrets are read from their files here and stand in no config. Rejects where a password file cannot be read.
 */
export async function sourceSpecOf(
  { source, camera }: DesiredPipeline,
  configFile: string,
): Promise<SourceSpec> {
  switch (source.kind) {
    case 'test': {
      const { id, kind, width, height, fps, bitrateKbps } = source;
      const fontFile = fonts.find((file) => existsSync(file));
      return { id, kind, width, height, fps, bitrateKbps, ...(fontFile === undefined ? {} : { fontFile }) };
    }
    case 'v4l2': {
      const { id, kind, width, height, fps, bitrateKbps, device, format } = source;
      return {
        ...{ id, kind, width, height, fps, bitrateKbps },
        device: camera?.address ?? device,
        format: format === 'auto' || format === 'nv12' ? 'mjpeg' : format,
      };
    }
    case 'rtsp': {
      const url = new URL(source.url);
      if (source.username !== undefined) url.username = source.username;
      if (source.passwordFile !== undefined) {
        url.password = (await readFile(resolveConfigPath(configFile, source.passwordFile), 'utf8')).trimEnd();
      }
      return { id: source.id, kind: 'rtsp', url: url.href, fps: 30 };
    }
    case 'rpicam': {
      const { id, kind, width, height, fps, bitrateKbps, rotation, autofocus, sync } = source;
      return {
        ...{ id, kind, width, height, fps, bitrateKbps, rotation },
        camera: source.camera,
        ...(autofocus === 'default' ? {} : { autofocus }),
        ...(source.lensPosition === undefined ? {} : { lensPosition: source.lensPosition }),
        ...(source.shutterUs === undefined ? {} : { exposureUs: source.shutterUs }),
        ...(source.gain === undefined ? {} : { gain: source.gain }),
        ...(sync === 'off' ? {} : { sync }),
      };
    }
  }
}
