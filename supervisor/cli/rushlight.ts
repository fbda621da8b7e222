#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { describeError, errorCode, RushlightError } from '../../common/errors.ts';
import { parseConfig } from '../config/parse.ts';
import { formatProblem } from '../config/problem.ts';
import {
  keySchema,
  newKeySchema,
  type Status,
  statusSchema,
  type Take,
  takeSchema,
} from '../contract/index.ts';
import {
  type ApiClientOptions,
  askApi,
  CliError,
  callApi,
  localAppliance,
  UsageError,
} from './api-client.ts';
import { ownConfigFile } from './own-files.ts';
import { statusText } from './status-text.ts';

const usage = `rushlight: controls the appliance on this machine, or the one at RUSHLIGHT_URL with RUSHLIGHT_TOKEN

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

type Say = (text: string) => void;

/** Runs one command. Returns the exit code; prints everything through `say`. */
export async function rushlight(args: readonly string[], env: NodeJS.ProcessEnv, say: Say): Promise<number> {
  const { values, positionals } = wordsOf(args);
  const [command, ...rest] = positionals;
  if (values.help || command === 'help') {
    say(usage);
    return 0;
  }
  checkWords(positionals, values);
  if (command === 'config') return await checkConfig(rest[1], env, say);
  const api = await localAppliance(env);
  switch (command) {
    case 'status': {
      const status = await getStatus(api);
      say(values.json ? `${JSON.stringify(status, null, 2)}\n` : statusText(status));
      return status.health.state === 'failed' ? 1 : 0;
    }
    case 'role':
      return await role(api, rest[0], say);
    case 'record':
      return await record(api, rest[0], values.camera, say);
    case 'take':
      return await verifyTake(api, rest, say);
    case 'logs': {
      const { lines = '50' } = values;
      const response = await callApi(api, 'GET', `/api/logs?lines=${encodeURIComponent(lines)}`);
      say(await response.text());
      return 0;
    }
    default:
      return await key(api, rest, say);
  }
}

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
function checkWords(words: readonly string[], values: Readonly<Record<string, unknown>>): void {
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
  if (count < least) throw new UsageError(`"rushlight ${line}" lacks a word.`, { hint });
  if (count > most)
    throw new UsageError(`"rushlight ${known.words}" has no word "${words.at(-1)}".`, { hint });
  const odd = Object.keys(values).find((option) => !known.options?.includes(option));
  if (odd !== undefined) throw new UsageError(`"rushlight ${known.words}" has no option --${odd}.`, { hint });
}

/** The lines of the usage about one command; all of it if there is no such command. */
function usageOf(command: string | undefined): string {
  const blocks = usage.split(/\n(?= {2}\S)/).slice(1);
  const own = blocks.filter((block) => block.startsWith(`  rushlight ${command} `));
  return (own.length === 0 ? usage : own.join('\n')).trimEnd();
}

function wordsOf(args: readonly string[]) {
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
    throw new UsageError(`${first.replace(/\.$/, '')}.`, { hint: usageOf(args[0]) });
  }
}

async function checkConfig(file: string | undefined, env: NodeJS.ProcessEnv, say: Say): Promise<number> {
  const { path, text } = await settingsText(file, env);
  const parsed = parseConfig(text);
  if (parsed.ok) {
    say(`${path} is good.\n`);
    return 0;
  }
  for (const problem of parsed.problems) say(`${path}, ${formatProblem(problem)}\n`);
  return 1;
}

/** The settings file in question: the one named, or this machine's, even if only its bare name is given. */
async function settingsText(
  file: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<{ path: string; text: string }> {
  const own = ownConfigFile(env);
  const candidates = file === undefined ? [own] : file === basename(own) ? [file, own] : [file];
  for (const path of candidates) {
    try {
      return { path, text: await readFile(path, 'utf8') };
    } catch (cause) {
      const code = errorCode(cause);
      if (code === 'EISDIR') throw new CliError(`${path} is a folder, not a settings file.`);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw new CliError(`${path} cannot be read.`, { cause });
    }
  }
  throw new CliError(`There is no file ${candidates.at(-1)}.`, {
    hint:
      file === undefined
        ? 'The first start makes one. Another one is checked by naming it: rushlight config check FILE'
        : `The settings of this machine are in ${own}.`,
  });
}

async function getStatus(api: ApiClientOptions): Promise<Status> {
  return await askApi(statusSchema, api, 'GET', '/api/status');
}

async function role(api: ApiClientOptions, wanted: string | undefined, say: Say): Promise<number> {
  if (wanted !== undefined) await callApi(api, 'PATCH', '/api/config', { role: wanted });
  const { device } = await getStatus(api);
  say(`${wanted ?? device.roleSetting} (now: ${device.role}, ${device.roleReason})\n`);
  return 0;
}

async function record(
  api: ApiClientOptions,
  action: string | undefined,
  cameras: string[] | undefined,
  say: Say,
): Promise<number> {
  if (action === 'start') {
    const take = await askApi(
      takeSchema,
      api,
      'POST',
      '/api/takes',
      cameras === undefined ? {} : { cameras },
    );
    say(`take ${take.id} starts: ${take.cameras.map(({ camera }) => camera).join(', ')}\n`);
    return 0;
  }
  const { recording } = await getStatus(api);
  if (recording.take === null) throw new CliError('Nothing has been recorded yet.');
  if (action === undefined) {
    say(takeText(recording.take));
    return 0;
  }
  say(takeText(await askApi(takeSchema, api, 'POST', `/api/takes/${recording.take.id}/stop`)));
  return 0;
}

async function verifyTake(api: ApiClientOptions, [, id = '']: string[], say: Say): Promise<number> {
  const take = await askApi(takeSchema, api, 'POST', `/api/takes/${encodeURIComponent(id)}/verify`);
  say(
    `The masters of take ${take.id} are read again once nothing is recorded; this shows what came of it:\n`,
  );
  say(takeText(take));
  return 0;
}

function takeText(take: Take): string {
  const lines = take.cameras.map(
    ({ camera, state, frames, droppedFrames, reason }) =>
      `  ${camera}  ${state}  ${frames} frames, ${droppedFrames} dropped${reason === null ? '' : `  (${reason})`}`,
  );
  return [`take ${take.id}  ${take.state}  since ${take.startedAt}`, ...lines, ''].join('\n');
}

async function key(
  api: ApiClientOptions,
  [action, first = '', subject]: string[],
  say: Say,
): Promise<number> {
  if (action === 'list') {
    for (const one of await askApi(z.array(keySchema), api, 'GET', '/api/keys'))
      say(`${one.id}  ${one.role}  ${one.subject}  ${one.createdAt}\n`);
    return 0;
  }
  if (action === 'create') {
    const made = await askApi(newKeySchema, api, 'POST', '/api/keys', { role: first, subject });
    say(`${made.token}\n`);
    return 0;
  }
  await callApi(api, 'DELETE', `/api/keys/${encodeURIComponent(first)}`);
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = await rushlight(process.argv.slice(2), process.env, (text) =>
      process.stdout.write(text),
    );
  } catch (error) {
    const hint = error instanceof RushlightError && error.hint !== undefined ? `\n${error.hint}` : '';
    process.stderr.write(`rushlight: ${describeError(error)}${hint}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
