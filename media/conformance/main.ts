/**
 * `npm run conformance -- --whip <url> --whep <url>`: checks a server, or with `--judge` a client, and says which requirements of
 * WHIP and WHEP it meets. docs/conformance.md has this product's tables and explains the options.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { describeError } from '../../common/errors.ts';
import { ClientJudge } from './client-judge.ts';
import { ConformanceError } from './errors.ts';
import { failedMusts, publish, summaryOf, tableOf } from './report.ts';
import type { Finding, Protocol } from './requirement.ts';
import { runSuite } from './suite.ts';

const usage = `usage: npm run conformance -- --whip <url> --whep <url> [--token <token>] [--empty <WHEP url without a publisher>]
         [--only <id>,<id>…] [--output <file>]
       npm run conformance -- --judge --whip <url> | --whep <url> [--port <port>] [--output <file>]`;

const protocols: readonly Protocol[] = ['whip', 'whep'];

function readOptions() {
  const { values } = parseArgs({
    options: {
      whip: { type: 'string' },
      whep: { type: 'string' },
      token: { type: 'string' },
      empty: { type: 'string' },
      only: { type: 'string' },
      judge: { type: 'boolean', default: false },
      port: { type: 'string', default: '0' },
      output: { type: 'string' },
    },
  });
  for (const url of [values.whip, values.whep, values.empty]) {
    if (url !== undefined && !URL.canParse(url))
      throw new ConformanceError(`"${url}" is not a URL.\n${usage}`);
  }
  const named = protocols.filter((protocol) => values[protocol] !== undefined);
  if (named.length === 0) throw new ConformanceError(`Name the endpoints to check.\n${usage}`);
  if (values.judge && named.length > 1)
    throw new ConformanceError(`A client is judged for one endpoint.\n${usage}`);
  return values;
}

type Options = ReturnType<typeof readOptions>;

function tell({ protocol, id, level, verdict, reason }: Finding): void {
  process.stderr.write(`${protocol} ${level} ${id}: ${verdict}${reason === '' ? '' : ` (${reason})`}\n`);
}

async function report(options: Options, findings: readonly Finding[], side: string): Promise<void> {
  for (const protocol of protocols) {
    const own = findings.filter((finding) => finding.protocol === protocol);
    if (own.length === 0) continue;
    if (options.output === undefined) process.stdout.write(`${protocol}\n\n${tableOf(own)}\n\n`);
    else await publish(options.output, `${side} ${protocol}`, tableOf(own));
  }
  process.stdout.write(`${summaryOf(findings)}\n`);
  if (failedMusts(findings).length > 0) process.exitCode = 1;
}

async function judgeClient(options: Options): Promise<void> {
  const protocol = options.whip === undefined ? 'whep' : 'whip';
  await using judge = new ClientJudge(protocol, options[protocol] ?? '');
  const url = await judge.open(Number(options.port));
  process.stderr.write(`Let the client use ${url}, end it, and press Ctrl-C here.\n`);
  await once(process, 'SIGINT');
  const findings = await judge.findings();
  for (const finding of findings) tell(finding);
  await report(options, findings, 'client');
}

async function lookAtServer(options: Options): Promise<void> {
  const { whip, whep, token, empty, only } = options;
  const findings = await runSuite({
    whip: whip ?? null,
    whep: whep ?? null,
    token: token ?? null,
    empty: empty ?? null,
    only: only?.split(',') ?? null,
    onFinding: tell,
  });
  await report(options, findings, 'server');
}

try {
  const options = readOptions();
  await (options.judge ? judgeClient(options) : lookAtServer(options));
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}
// libdatachannel keeps threads of its own.
process.exit();
