/**
 * `npm run bench -- fanout|join|latency|loss|soak [options]`: what the media process costs and how fast it is, beside baselines that are
 * measured in the same run. docs/contribute/benchmarks.md explains options and figures.
 */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { describeError } from '../../common/errors.ts';
import { receivingProcessor, runApart } from './apart.ts';
import { buildTools, outputFolder, type Tools } from './build-tools.ts';
import { BenchError } from './errors.ts';
import { fanOutSchema, joinSchema, type LoadOptions, lossSchema, runLoad, soakSchema } from './load.ts';
import { fanOutRows, joinRows, latencyRows, lossRows, type Measured, soakRows } from './reports.ts';
import { openServer, type ServerName, serverNames, type Target } from './servers.ts';
import { type Row, table } from './table.ts';

const commands = ['fanout', 'join', 'latency', 'loss', 'soak'] as const;
type Command = (typeof commands)[number];
/** A floor has no keyframes to begin with and no sessions to forget. */
const defaultServers: Readonly<Record<Command, string>> = {
  fanout: serverNames.join(','),
  latency: 'rushlight,rushlight-js,pion,floor',
  join: 'rushlight,rushlight-js,pion',
  loss: 'rushlight,rushlight-js',
  soak: 'rushlight,rushlight-js,pion',
};
const usage = `usage: npm run bench -- ${commands.join('|')} [--viewers 10,50,100] [--seconds 10] [--gop 2] [--joins 20] [--loss 0.03] [--deaf]
  [--servers ${serverNames.join(',')}] [--checkout <folder>] [--output <file>] [--apart]
  [--whip <url> --whep <url> --pid <pid>[,<pid>] [--token <token>]]
`;

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      viewers: { type: 'string' },
      seconds: { type: 'string' },
      gop: { type: 'string' },
      joins: { type: 'string' },
      loss: { type: 'string', default: '0.03' },
      deaf: { type: 'boolean' },
      apart: { type: 'boolean', default: false },
      servers: { type: 'string' },
      checkout: { type: 'string' },
      whip: { type: 'string' },
      whep: { type: 'string' },
      pid: { type: 'string' },
      token: { type: 'string' },
      output: { type: 'string' },
    },
  });
  const command = commands.find((name) => name === positionals[0]);
  if (command === undefined || positionals.length !== 1)
    throw new BenchError(`Name one benchmark.\n${usage}`);
  const isJoin = command === 'join';
  const load: LoadOptions = {
    mode: command === 'latency' ? 'fanout' : command,
    viewers: list(
      values.viewers ??
        { fanout: '10,50,100', latency: '1,10,50', join: '1', loss: '10', soak: '10' }[command],
    ),
    seconds: Number(values.seconds ?? (command === 'loss' ? '60' : '10')),
    gopSeconds: Number(values.gop ?? (isJoin ? '10' : '2')),
    deaf: values.deaf ?? isJoin,
    loss: Number(values.loss),
    joins: Number(values.joins ?? (isJoin ? '20' : '2000')),
  };
  const wanted = (values.servers ?? defaultServers[command]).split(',').filter((name) => name !== '');
  const servers = wanted.map((name) => {
    const known = serverNames.find((one) => one === name);
    if (known === undefined) throw new BenchError(`There is no server "${name}".\n${usage}`);
    return known;
  });
  return {
    command,
    load,
    servers,
    given: givenTarget(values),
    checkout: values.checkout,
    apart: values.apart,
    output: values.output,
  };
}

function list(text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (!numbers.every((n) => Number.isInteger(n) && n > 0))
    throw new BenchError(`"${text}"is not a list of numbers.`);
  return numbers;
}

/** A server that runs already. */
function givenTarget(values: {
  whip?: string | undefined;
  whep?: string | undefined;
  pid?: string | undefined;
  token?: string | undefined;
}): Target | null {
  const { whip, whep, pid, token } = values;
  if (whip === undefined && whep === undefined && pid === undefined) return null;
  if (whip === undefined || whep === undefined || pid === undefined)
    throw new BenchError('A running server is given by --whip, --whep and --pid together.');
  return { whip, whep, pids: list(pid), ...(token === undefined ? {} : { token }) };
}

type Options = ReturnType<typeof readOptions>;

/** One server after the other; each has the machine for itself and the load generator. */
async function measureAll<T>(options: Options, tools: Tools, schema: z.ZodType<T>): Promise<Measured<T>[]> {
  const { given, servers, load, checkout } = options;
  const all: Measured<T>[] = [];
  const measure = async (server: string, target: Target): Promise<void> => {
    process.stderr.write(`measuring ${server} …\n`);
    all.push({ server, ...(await runLoad(tools.load, target, load, schema)) });
  };
  if (given !== null) await measure('given', given);
  for (const name of servers as readonly ServerName[]) {
    await using server = await openServer(name, tools, checkout);
    await measure(name, server.target);
  }
  return all;
}

async function report<T>(
  options: Options,
  all: readonly Measured<T>[],
  rowsOf: (all: readonly Measured<T>[]) => Row[],
): Promise<void> {
  const rows = rowsOf(all);
  const failures = all.filter(({ failure }) => failure !== null);
  const load = loadavg().map((average) => average.toFixed(1));
  process.stdout.write(`${table(rows)}\n`);
  process.stdout.write(`${cpus().length} cores; load average ${load.join(' ')}, this benchmark included\n`);
  if (receivingProcessor !== null)
    process.stdout.write(
      `The load generator and the kernel's work of receiving: on processor ${receivingProcessor}\n`,
    );
  for (const { server, failure } of failures) process.stdout.write(`${server} failed: ${failure}\n`);
  const file = options.output ?? join(outputFolder, `${options.command}.json`);
  const { command, load: asked, apart } = options;
  await writeFile(
    file,
    `${JSON.stringify({ at: new Date(), command, asked, apart, rows, measured: all })}\n`,
  );
  process.stdout.write(`All figures are in ${file}\n`);
  if (failures.length > 0) process.exitCode = 1;
}

async function main(): Promise<void> {
  const options = readOptions();
  const tools = await buildTools();
  if (options.apart && receivingProcessor === null) {
    process.exitCode = await runApart();
    return;
  }
  switch (options.command) {
    case 'fanout':
      return await report(options, await measureAll(options, tools, fanOutSchema), fanOutRows);
    case 'latency':
      return await report(options, await measureAll(options, tools, fanOutSchema), latencyRows);
    case 'join':
      return await report(options, await measureAll(options, tools, joinSchema), joinRows);
    case 'loss':
      return await report(options, await measureAll(options, tools, lossSchema), lossRows);
    case 'soak':
      return await report(options, await measureAll(options, tools, soakSchema), soakRows);
  }
}

try {
  await main();
} catch (error) {
  const hint = error instanceof BenchError && error.hint !== undefined ? ` ${error.hint}` : '';
  process.stderr.write(`${describeError(error)}${hint}\n`);
  process.exitCode = 1;
}
