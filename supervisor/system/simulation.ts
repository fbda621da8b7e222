import { writeFile } from 'node:fs/promises';
import { errorCode } from '../../common/errors.ts';

/** Port of page and API where nothing says otherwise. */
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

/** Lays a config for the simulation where there is none; never touches one that is there. */
export async function layOutSimulation(configFile: string): Promise<void> {
  try {
    await writeFile(configFile, sample, { flag: 'wx' });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
