#!/usr/bin/env node
import { basename } from 'node:path';
import { z } from 'zod';
import { describeError, RushlightError } from '../../common/errors.ts';
import { type FoundConfig, readConfigFile } from '../config/load.ts';
import { parseConfig } from '../config/parse.ts';
import { blankProblem, type ConfigProblem, formatProblem, missingProblem } from '../config/problem.ts';
import { isBlank } from '../config/unfinished.ts';
import {
  keySchema,
  newKeySchema,
  type Status,
  statusSchema,
  type Take,
  takeSchema,
} from '../contract/index.ts';
import { type ApiClientOptions, askApi, CliError, callApi, localAppliance } from './api-client.ts';
import { checkWords, UsageError, usage, wordsOf } from './command-words.ts';
import { ownConfigFile } from './own-files.ts';
import { statusText } from './status-text.ts';

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

async function checkConfig(file: string | undefined, env: NodeJS.ProcessEnv, say: Say): Promise<number> {
  const { path, found } = await settingsFile(file, env);
  const problems = problemsOfFile(found);
  for (const problem of problems) say(`${path}, ${formatProblem(problem)}\n`);
  if (problems.length === 0) say(`${path} is good.\n`);
  return problems.length === 0 ? 0 : 1;
}

/** As the appliance judges it. */
function problemsOfFile(found: FoundConfig): readonly ConfigProblem[] {
  if (found.state === 'missing') return [missingProblem];
  if (found.state === 'unreadable') return [found.problem];
  if (isBlank(found.text)) return [blankProblem];
  const parsed = parseConfig(found.text);
  return parsed.ok ? [] : parsed.problems;
}

/** The settings file in question: the one named, or this machine's, even if only its bare name is given. */
async function settingsFile(
  file: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<{ path: string; found: FoundConfig }> {
  const own = ownConfigFile(env);
  const candidates = file === undefined ? [own] : file === basename(own) ? [file, own] : [file];
  for (const path of candidates) {
    const found = await readConfigFile(path);
    if (found.state !== 'missing') return { path, found };
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
