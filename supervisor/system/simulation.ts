import { writeFile } from 'node:fs/promises';
import { errorCode } from '../../common/errors.ts';

/** Port of page and API if nothing else is set. */
export const simulationPort = 8080;

const sample = `# Settings of the simulated appliance. Edit and save: changes come into force at once.
# docs/reference/config.md lists every setting.

role = "hub"
name = "rushlight-sim"

[devices]
adopt = "ask"          # cameras of this machine are offered, not taken

[[source]]
id = "cam0"
kind = "test"          # a moving picture with clock and frame number
label = "Test picture"
width = 1280
height = 720
fps = 30
bitrate_kbps = 4000
`;

/** Writes a config for the simulation if there is none; never changes an existing one. */
export async function layOutSimulation(configFile: string): Promise<void> {
  try {
    await writeFile(configFile, sample, { flag: 'wx' });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
