import { existsSync } from 'node:fs';
import type { SourceSpec } from '../../media/index.ts';
import { resolveConfigPath } from '../config/load.ts';
import { readSettingFile } from '../config/read-setting-file.ts';
import type { SourceConfig } from '../config/schema.ts';
import type { Device } from '../contract/index.ts';
import { captureMode } from '../platform/cameras/capture-mode.ts';
import type { DesiredPipeline } from '../roles/assign-cameras.ts';

/** Fonts for the burnt-in clock, in order of liking. */
const fonts = [
  '/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf',
  '/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf',
];

/**
 * What the media plane needs to know of a source. A format that the settings leave open is chosen from what the camera
 * offers; secrets are read from their files here and stand in no config. Rejects where a password file cannot be read.
 */
export async function sourceSpecOf(
  { source, camera }: DesiredPipeline,
  devices: readonly Device[],
  configFile: string,
): Promise<SourceSpec> {
  switch (source.kind) {
    case 'test': {
      const fontFile = fonts.find((file) => existsSync(file));
      return { ...encoded(source), kind: 'test', ...(fontFile === undefined ? {} : { fontFile }) };
    }
    case 'v4l2': {
      const device = devices.find(({ id }) => id === camera?.id);
      const mode = device === undefined ? null : captureMode(device, source);
      const { width, height, fps, format } = mode ?? { ...source, format: 'mjpeg' as const };
      const path = camera?.address ?? source.device;
      return { ...encoded(source), kind: 'v4l2', device: path, width, height, fps, format };
    }
    case 'rtsp': {
      const { id, url, username, passwordFile, transport } = source;
      const file = passwordFile === undefined ? null : resolveConfigPath(configFile, passwordFile);
      const password =
        file === null ? {} : { password: (await readSettingFile(file)).toString('utf8').trimEnd() };
      return {
        id,
        kind: 'rtsp',
        url,
        transport,
        ...(username === undefined ? {} : { username }),
        ...password,
      };
    }
    case 'rpicam': {
      const {
        label: _label,
        enabled: _enabled,
        record: _record,
        encoder: _encoder,
        tuningFile,
        ...rest
      } = source;
      const tuning = tuningFile === undefined ? undefined : resolveConfigPath(configFile, tuningFile);
      return withoutUndefined({ ...rest, tuningFile: tuning });
    }
  }
}

type Encoded = Exclude<SourceConfig, { kind: 'rtsp' }>;

function encoded({ id, width, height, fps, bitrateKbps, keyframeIntervalS }: Encoded) {
  return { id, width, height, fps, bitrateKbps, keyframeIntervalS };
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Fields that were left open are left out: the media plane takes an absent field, not an undefined one. */
function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}
