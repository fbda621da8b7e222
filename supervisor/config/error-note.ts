import { rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readTextIfThere } from '../../common/files.ts';
import { type ConfigProblem, formatProblem } from './problem.ts';

/** The one file that is written beside rushlight.toml, for people who put the card into a PC. */
const errorNoteName = 'rushlight-config-error.txt';

/** Writes the problems beside the config, or removes the note if there are none. Writes to the card only on change. */
export async function writeErrorNote(configFile: string, problems: readonly ConfigProblem[]): Promise<void> {
  const file = join(dirname(configFile), errorNoteName);
  if (problems.length === 0) return rm(file, { force: true });
  const text = errorNoteText(basename(configFile), problems);
  if ((await readTextIfThere(file)) !== text) await writeFile(file, text);
}

/** The note's text, with the line ends of the PC that will probably show it. */
function errorNoteText(configName: string, problems: readonly ConfigProblem[]): string {
  return [
    `${configName} was not taken over; the last good settings stay in force.`,
    '',
    ...problems.map(formatProblem),
    '',
    'This note disappears once the file is correct.',
    '',
  ].join('\r\n');
}
