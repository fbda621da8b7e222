#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError, errorCode, RushlightError } from '../../common/errors.ts';
import { parseConfig } from '../config/parse.ts';
import { formatProblem } from '../config/problem.ts';
import { type Status, statusSchema, type Take, takeSchema } from '../contract/index.ts';
import { type ApiClientOptions, CliError, callApi, localAppliance } from './api-client.ts';
import { ownConfigFile } from './own-files.ts';
import { statusText } from './status-text.ts';

const usage = `rushlight: controls the appliance on this machine, or of RUSHLIGHT_URL with RUSHLIGHT_TOKEN

  rushlight status [--json]          what runs, and what is wrong
  rushlight role [hub|camera|auto]   show the role, or set it until the file says otherwise
  rushlight config check [FILE]      check a rushlight.toml without using it
  rushlight record [start|stop] [--camera ID]...
                                     start or stop a take; without a word, show the last one
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
  if (values.help || command === undefined) {
    say(usage);
    return values.help ? 0 : 2;
  }
  if (command === 'config') {
    if (rest[0] === 'check') return await checkConfig(rest[1], env, say);
    say('What about the settings? "rushlight config check [FILE]" checks them.\n');
    return 2;
  }
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
    case 'key':
      return await key(api, rest, say);
    case 'logs': {
      const response = await callApi(api, 'GET', `/api/logs?lines=${encodeURIComponent(values.lines)}`);
      say(await response.text());
      return 0;
    }
    default:
      say(`There is no command "${command}".\n\n${usage}`);
      return 2;
  }
}

function wordsOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        camera: { type: 'string', multiple: true },
        lines: { type: 'string', default: '50' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    // Its first sentence; the rest is about words that begin with a dash.
    throw new CliError(`${describeError(error).split(/\. /)[0]}.`.replace(/\.\.$/, '.'), { hint: usage });
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
  return statusSchema.parse(await (await callApi(api, 'GET', '/api/status')).json());
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
    const take = takeSchema.parse(
      await (await callApi(api, 'POST', '/api/takes', cameras === undefined ? {} : { cameras })).json(),
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
  if (action !== 'stop') throw new CliError(`"record ${action}" is not a command; start or stop is.`);
  const stopped = await callApi(api, 'POST', `/api/takes/${recording.take.id}/stop`);
  say(takeText(takeSchema.parse(await stopped.json())));
  return 0;
}

async function verifyTake(api: ApiClientOptions, [action, id]: string[], say: Say): Promise<number> {
  if (action !== 'verify' || id === undefined) {
    say(usage);
    return 2;
  }
  const path = `/api/takes/${encodeURIComponent(id)}/verify`;
  const take = takeSchema.parse(await (await callApi(api, 'POST', path)).json());
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

async function key(api: ApiClientOptions, [action, ...rest]: string[], say: Say): Promise<number> {
  if (action === 'list') {
    const keys = (await (await callApi(api, 'GET', '/api/keys')).json()) as Record<string, string>[];
    for (const one of keys) say(`${one.id}  ${one.role}  ${one.subject}  ${one.createdAt}\n`);
    return 0;
  }
  if (action === 'create' && rest.length === 2) {
    const made = await callApi(api, 'POST', '/api/keys', { role: rest[0], subject: rest[1] });
    say(`${((await made.json()) as { token: string }).token}\n`);
    return 0;
  }
  if (action === 'revoke' && rest[0] !== undefined) {
    await callApi(api, 'DELETE', `/api/keys/${encodeURIComponent(rest[0])}`);
    return 0;
  }
  say(usage);
  return 2;
}

if (import.meta.main) {
  try {
    process.exitCode = await rushlight(process.argv.slice(2), process.env, (text) =>
      process.stdout.write(text),
    );
  } catch (error) {
    const hint = error instanceof RushlightError && error.hint !== undefined ? `\n${error.hint}` : '';
    process.stderr.write(`rushlight: ${describeError(error)}${hint}\n`);
    process.exitCode = 1;
  }
}
