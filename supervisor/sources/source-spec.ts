import { join } from 'node:path';
import type { ChildHost } from '../../common/child-host.ts';
import { kindOf, type SourceMachine, type SourceSpec } from '../../media/index.ts';
import { resolveConfigPath } from '../config/load.ts';
import { readSecretFile } from '../config/read-setting-file.ts';
import type { Device } from '../contract/index.ts';
import { captureMode } from '../platform/cameras/capture-mode.ts';
import type { DesiredPipeline } from '../roles/index.ts';

/** What a source's description depends on besides its settings. */
export interface SpecSurroundings {
  readonly host: ChildHost;
  /** Cameras of this machine at the last look. */
  readonly devices: readonly Device[];
  /** Paths in the settings are relative to it. */
  readonly configFile: string;
  /** Folder for files that live as long as a source runs. */
  readonly runFolder: string;
}

/** More than the answer of any kind of source. */
const mostLines = 400;

/**
 * Describes a source for the media plane. A format that the settings leave open is chosen from what the camera offers; secrets
 * are read from their files here and are in no config. Rejects if a file that it names cannot be used.
 */
export async function sourceSpecOf(
  { source, camera }: DesiredPipeline,
  { host, devices, configFile, runFolder }: SpecSurroundings,
): Promise<SourceSpec> {
  const path = (named: string) => resolveConfigPath(configFile, named);
  const machine: SourceMachine = {
    camera,
    modeOf: (wish) => {
      const device = devices.find(({ id }) => id === camera?.id);
      return device === undefined ? null : captureMode(device, wish);
    },
    path,
    secret: (named) => readSecretFile(path(named)),
    runFile: (name) => join(runFolder, name),
    run: async (argv) => await outputOf(host, `look-${source.id}`, argv),
  };
  return await kindOf(source).specOf(source, machine);
}

async function outputOf(
  host: ChildHost,
  name: string,
  argv: readonly [string, ...string[]],
): Promise<readonly string[]> {
  const lines: string[] = [];
  const child = await host.spawn({ name, argv, stopTimeoutMs: 1000 }, ({ stream, text }) => {
    if (stream === 'stdout' && lines.length < mostLines) lines.push(text);
  });
  const late = setTimeout(() => void child.stop(), 20_000);
  await child.exited;
  clearTimeout(late);
  return lines;
}
