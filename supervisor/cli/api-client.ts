import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { describeError, errorCode, RushlightError } from '../../common/errors.ts';
import { type Problem, problemSchema } from '../contract/index.ts';
import { ownDataFolder } from './own-files.ts';

/** The appliance did not do what was asked; the message is for the terminal. */
export class CliError extends RushlightError {
  readonly code = 'CLI_FAILED';
}

/** Where the appliance answers, and with which token. */
export interface ApiClientOptions {
  readonly url: string;
  readonly token: string | null;
}

/**
 * The address of this machine's appliance: RUSHLIGHT_URL, or its port on loopback; the token from RUSHLIGHT_TOKEN or its data
 * folder. The key of this machine goes to no other one.
 */
export async function localAppliance(env: NodeJS.ProcessEnv): Promise<ApiClientOptions> {
  const data = ownDataFolder(env);
  const url =
    env.RUSHLIGHT_URL ?? (await urlOfData(data)) ?? `http://127.0.0.1:${env.RUSHLIGHT_PORT ?? '8080'}`;
  const isOwn = env.RUSHLIGHT_URL === undefined || isLoopback(url);
  const own = isOwn ? await contentOf(join(data, 'owner-token')) : null;
  return { url, token: env.RUSHLIGHT_TOKEN ?? own };
}

function isLoopback(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The supervisor writes its address here while it runs. */
async function urlOfData(data: string): Promise<string | null> {
  return await contentOf(join(data, 'run', 'api-url'));
}

async function contentOf(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'EACCES') return null; // not of this machine, or not readable for us
    throw error;
  }
}

/** Calls a route and returns its body. Rejects with a CliError that says what to do next. */
export async function callApi(
  { url, token }: ApiClientOptions,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  if (!URL.canParse(path, url)) {
    throw new CliError(`RUSHLIGHT_URL is "${url}", which is not an address.`, {
      hint: 'Write it like http://localhost:8080 or https://stage-hub.local.',
    });
  }
  let response: Response;
  try {
    response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // The API never redirects; a server that does is not the appliance, and gets no token.
      redirect: 'error',
      signal: AbortSignal.timeout(30_000),
    });
  } catch (cause) {
    throw new CliError(`No appliance answers at ${url}: ${reasonOf(cause)}.`, {
      hint: 'Is it running? RUSHLIGHT_URL says where to look.',
    });
  }
  if (response.ok) return response;
  const problem = await problemIn(response);
  throw new CliError(problem?.detail ?? `The appliance answered with status ${response.status}.`, {
    ...(problem?.hint === undefined ? {} : { hint: problem.hint }),
  });
}

/** Calls a route and returns the JSON it answers, as the schema has it. Rejects with a CliError like {@link callApi}. */
export async function askApi<T>(
  schema: z.ZodType<T>,
  api: ApiClientOptions,
  ...call: [method: string, path: string, body?: unknown]
): Promise<T> {
  const text = await (await callApi(api, ...call)).text();
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof z.ZodError)) throw cause;
    throw new CliError(`What answers at ${api.url} is no Rushlight appliance, or one of another version.`, {
      cause,
      hint: 'RUSHLIGHT_URL says where to look. Use the rushlight command of the same version.',
    });
  }
}

/** Why nothing answered, in words if we have some; otherwise what the system calls it. */
function reasonOf(cause: unknown): string {
  const text = describeError(cause);
  for (const [pattern, words] of reasons) if (pattern.test(text)) return words;
  return text;
}

const reasons: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, 'nothing listens there'],
  [/ENOTFOUND|EAI_AGAIN/, 'no machine of that name is found'],
  [/EHOSTUNREACH|ENETUNREACH/, 'that machine cannot be reached'],
  [/ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|aborted due to timeout/, 'it did not answer in time'],
  [/wrong version number/, 'it does not speak HTTPS; try http://'],
  [/certificate/, 'its certificate is not one this machine trusts'],
];

async function problemIn(response: Response): Promise<Problem | null> {
  const parsed = problemSchema.safeParse(await response.json().catch(() => null)); // no JSON: no problem document
  return parsed.success ? parsed.data : null;
}
