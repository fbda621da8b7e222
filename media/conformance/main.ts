/**
 * `npm run conformance -- --whip <url> --whep <url> [--token <token>]`: looks at a server and says which requirements of WHIP and WHEP
 * it meets. docs/conformance.md has this product's table and explains the options.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeError } from '../../common/errors.ts';
import { ConformanceError } from './errors.ts';
import { failedMusts, summaryOf, tableOf } from './report.ts';
import { runSuite } from './suite.ts';

const usage = `usage: npm run conformance -- --whip <url> --whep <url> [--token <token>] [--empty <WHEP url without a publisher>]
  [--only <id>,<id>…] [--output <file>]`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      whip: { type: 'string' },
      whep: { type: 'string' },
      token: { type: 'string' },
      empty: { type: 'string' },
      only: { type: 'string' },
      output: { type: 'string' },
    },
  });
  for (const url of [values.whip, values.whep, values.empty]) {
    if (url !== undefined && !URL.canParse(url)) throw new ConformanceError(`"${url}" is no URL.\n${usage}`);
  }
  if (values.whip === undefined && values.whep === undefined)
    throw new ConformanceError(`Name the endpoints to look at.\n${usage}`);
  return values;
}

async function main(): Promise<void> {
  const { whip, whep, token, empty, only, output } = readOptions();
  const findings = await runSuite({
    whip: whip ?? null,
    whep: whep ?? null,
    token: token ?? null,
    empty: empty ?? null,
    only: only?.split(',') ?? null,
    onFinding: ({ protocol, id, level, verdict, reason }) => {
      process.stderr.write(`${protocol} ${level} ${id}: ${verdict}${reason === '' ? '' : ` (${reason})`}\n`);
    },
  });
  if (output === undefined) process.stdout.write(`${tableOf(findings)}\n`);
  else await writeFile(output, tableOf(findings));
  process.stdout.write(`${summaryOf(findings)}\n`);
  if (failedMusts(findings).length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}
// libdatachannel keeps threads of its own.
process.exit();
