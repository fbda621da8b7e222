/**
 * Makes the table of docs/reference/capture-and-masters.md that says for which formats and ranges masters are proven lossless, and how:
 * `node scripts/lossless-table.ts`. It runs every proof on the ffmpeg of this machine and fills in that version's column;
 * columns of other versions stay. Ends with 1 if a proof fails.
 */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProofCase, proofCases, prove } from '../media/masters/proof/lossless-proof.fake.ts';

const page = join(import.meta.dirname, '../docs/reference/capture-and-masters.md');
const [begin, end] = [
  '<!-- lossless table: made by scripts/lossless-table.ts -->',
  '<!-- end of the table -->',
];
const fixed = ['from', 'what the camera sends', 'range', 'known by'];

const version = /ffmpeg version (\d+\.\d+)/.exec(
  execFileSync('ffmpeg', ['-version'], { encoding: 'utf8' }),
)?.[1];
if (version === undefined) throw new Error('ffmpeg does not say its version');
const column = `ffmpeg ${version}`;

const nameOf = ({ source, name, range, known }: ProofCase): string[] => [source, name, range, known];

async function resultOf(one: ProofCase): Promise<string> {
  const results: string[] = [];
  for (const strategy of ['direct', 'spool'] as const) {
    const { verified, wrong, range, rate } = await prove(one, strategy);
    const said = range === (one.range === 'full' ? 'pc' : 'tv') && rate === '30/1';
    if (!verified || wrong.length > 0 || !said) results.push(strategy);
  }
  return results.length === 0 ? 'exact' : `**not ${results.join(', ')}**`;
}

/** Columns of earlier runs, by the cells before them. */
function earlier(table: string): { columns: string[]; cells: Map<string, string[]> } {
  const rows = table.split('\n').filter((line) => line.startsWith('| '));
  const cellsOf = (row: string) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const [head = [], , ...body] = rows.map(cellsOf);
  const cells = new Map(body.map((row) => [row.slice(0, fixed.length).join('|'), row.slice(fixed.length)]));
  return { columns: head.slice(fixed.length), cells };
}

const text = await readFile(page, 'utf8');
const [from, to] = [text.indexOf(begin), text.indexOf(end)];
if (from < 0 || to < from) throw new Error(`${page} has no place for the table`);
const before = earlier(text.slice(from, to));
const columns = [...new Set([...before.columns, column])].toSorted();
const rows: string[][] = [];
for (const one of proofCases) {
  const result = await resultOf(one);
  const name = nameOf(one);
  const old = before.cells.get(name.join('|')) ?? [];
  const of = (which: string) => (which === column ? result : (old[before.columns.indexOf(which)] ?? '–'));
  rows.push([...name, ...columns.map(of)]);
  process.stdout.write(`${name.join(', ')}: ${result}\n`);
}
const lines = [[...fixed, ...columns], [...fixed, ...columns].map(() => '---'), ...rows];
const table = lines.map((row) => `| ${row.join(' | ')} |`).join('\n');
await writeFile(page, `${text.slice(0, from)}${begin}\n\n${table}\n\n${text.slice(to)}`);
if (rows.some((row) => row.some((cell) => cell.startsWith('**')))) process.exitCode = 1;
