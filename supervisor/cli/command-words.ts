import { parseArgs } from 'node:util';
import { describeError, RushlightError } from '../../common/errors.ts';

/** The words of the command are wrong. Its hint is the usage of that command. */
export class UsageError extends RushlightError {
  readonly code = 'CLI_USAGE';
}

/** All commands. */
export const usage = `rushlight: controls the appliance on this machine, or the one at RUSHLIGHT_URL with RUSHLIGHT_TOKEN

  rushlight status [--json]          what runs, and what is wrong
  rushlight role [hub|camera|auto]   show the role, or set it until the file says otherwise
  rushlight config check [FILE]      check a rushlight.toml without using it
  rushlight record                   show the last take
  rushlight record start [--camera ID]...
                                     start a take, on all cameras or on these
  rushlight record stop              stop it on all its cameras
  rushlight take verify ID           read a take's masters again and check them
  rushlight key create ROLE NAME     make a key (owner, operator, viewer or camera); shown once
  rushlight key list
  rushlight key revoke ID
  rushlight logs [--lines N]         the latest lines of the log
`;

/** Each command with how many words follow it, and the options it has. */
const commands: readonly {
  readonly words: string;
  readonly follow: readonly [least: number, most: number];
  readonly options?: readonly string[];
}[] = [
  { words: 'status', follow: [0, 0], options: ['json'] },
  { words: 'role', follow: [0, 1] },
  { words: 'config check', follow: [0, 1] },
  { words: 'record start', follow: [0, 0], options: ['camera'] },
  { words: 'record stop', follow: [0, 0] },
  { words: 'record', follow: [0, 0] },
  { words: 'take verify', follow: [1, 1] },
  { words: 'key create', follow: [2, 2] },
  { words: 'key list', follow: [0, 0] },
  { words: 'key revoke', follow: [1, 1] },
  { words: 'logs', follow: [0, 0], options: ['lines'] },
];

/** Throws a UsageError with the lines of the usage that concern the command. Nothing a person wrote is ignored. */
export function checkWords(words: readonly string[], values: Readonly<Record<string, unknown>>): void {
  const line = words.join(' ');
  const [name] = words;
  const known = commands.find((one) => `${line} `.startsWith(`${one.words} `));
  const hint = usageOf(name);
  if (known === undefined) {
    throw new UsageError(name === undefined ? 'What should be done?' : `There is no command "${line}".`, {
      hint,
    });
  }
  const count = words.length - known.words.split(' ').length;
  const [least, most] = known.follow;
  if (count < least) throw new UsageError(`"rushlight ${line}" is incomplete.`, { hint });
  if (count > most)
    throw new UsageError(`"rushlight ${known.words}" does not take "${words.at(-1)}".`, { hint });
  const odd = Object.keys(values).find((option) => !known.options?.includes(option));
  if (odd !== undefined) throw new UsageError(`"rushlight ${known.words}" has no option --${odd}.`, { hint });
}

/** The lines of the usage about one command; all of it if there is no such command. */
function usageOf(command: string | undefined): string {
  const blocks = usage.split(/\n(?= {2}\S)/).slice(1);
  const own = blocks.filter((block) => block.startsWith(`  rushlight ${command} `));
  return (own.length === 0 ? usage : own.join('\n')).trimEnd();
}

/** Words and options as they were typed. Throws a UsageError. */
export function wordsOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        camera: { type: 'string', multiple: true },
        lines: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    // Its first sentence; the rest is about words that begin with a dash.
    const [first = ''] = describeError(error).split(/\. /);
    throw new UsageError(`${first.replace(/\.$/, '')}.`, { cause: error, hint: usageOf(args[0]) });
  }
}
