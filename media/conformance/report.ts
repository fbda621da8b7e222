/** Findings as the tables of docs/conformance.md. */
import { readFile, writeFile } from 'node:fs/promises';
import { errorCode } from '../../common/errors.ts';
import type { Finding } from './requirement.ts';

const head = ['| | section | level | requirement | result |', '| --- | --- | --- | --- | --- |'];

/** The findings as a table. */
export function tableOf(findings: readonly Finding[]): string {
  return [...head, ...findings.map(rowOf)].join('\n');
}

/** `41 pass, 2 fail (0 MUST), 5 not applicable`. */
export function summaryOf(findings: readonly Finding[]): string {
  const count = (verdict: Finding['verdict']): number =>
    findings.filter((finding) => finding.verdict === verdict).length;
  return `${count('pass')} pass, ${count('fail')} fail (${failedMusts(findings).length} MUST), ${count('not applicable')} not applicable`;
}

/** Findings that break a MUST. */
export function failedMusts(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ level, verdict }) => level === 'MUST' && verdict === 'fail');
}

/** Puts a table into its place in a document: between `<!-- name -->` and `<!-- end -->`. A file without it gets the table alone. */
export async function publish(file: string, name: string, table: string): Promise<void> {
  const before = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  });
  const start = `<!-- ${name} -->\n`;
  const at = before.indexOf(start);
  const end = before.indexOf('<!-- end -->', at);
  if (at < 0 || end < 0) return await writeFile(file, `${table}\n`);
  await writeFile(file, `${before.slice(0, at + start.length)}\n${table}\n\n${before.slice(end)}`);
}

/** The row of each requirement in a table, without its reasons: `rtcp-mux 4.4.1 MUST pass`. */
export function verdictsIn(document: string, name: string): string[] {
  const [, table = ''] = document.split(`<!-- ${name} -->`);
  const row = /^\| `([a-z-]+)` \| ([\d.]+) \| (\w+) \|.*\| \**(pass|fail|not applicable)\b[^|]*\|$/gm;
  return [...(table.split('<!-- end -->')[0] ?? '').matchAll(row)].map((match) => match.slice(1).join(' '));
}

function rowOf({ id, section, level, text, verdict, reason }: Finding): string {
  const shown = verdict === 'fail' ? '**fail**' : verdict;
  const cells = [`\`${id}\``, section, level, text, reason === '' ? shown : `${shown}: ${reason}`];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
