import { closeSync, existsSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { artefacts } from '../documents.ts';
import { must, Report } from './report.ts';
import { tryRun } from './run.ts';

/** `node release/test/signatures.ts FOLDER`: each file verifies by the documented command, and is refused after one flipped bit. */
const { positionals } = parseArgs({ allowPositionals: true });
const folder = positionals[0];
if (folder === undefined) throw new Error('needed: the folder of a release, dist');
const key = join(folder, 'rushlight.pub');
const signed = ['SHA256SUMS', ...artefacts(folder)];

const isGood = (file: string) => tryRun('minisign', ['-V', '-q', '-p', key, '-m', file]).status === 0;

const report = new Report();
await report.check('the sums are those of the files', () => {
  const { status, stdout, stderr } = tryRun('sh', [
    '-c',
    'cd "$1" && sha256sum --check --quiet SHA256SUMS',
    'sums',
    folder,
  ]);
  must(status === 0, stdout + stderr);
});
for (const name of signed) {
  const file = join(folder, name);
  await report.check(name, () => {
    must(existsSync(`${file}.minisig`), 'it has no signature');
    must(isGood(file), 'its signature is refused');
    flipBit(file);
    const stillGood = isGood(file);
    flipBit(file);
    must(!stillGood, 'it is taken with one flipped bit');
  });
}
report.end();

/** Twice gives the file back; its time as well, as nothing was changed. */
function flipBit(file: string): void {
  const at = statSync(file).size >> 1;
  const open = openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  readSync(open, byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  writeSync(open, byte, 0, 1, at);
  closeSync(open);
}
