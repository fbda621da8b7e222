/** Builds the programs of `baseline/` into build/bench: the load generator, the Pion server, the floor. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { errorCode } from '../../common/errors.ts';
import { BenchError } from './errors.ts';

const run = promisify(execFile);
const sources = fileURLToPath(new URL('./baseline/', import.meta.url));
/** Folder of the built tools. */
export const outputFolder = fileURLToPath(new URL('../../build/bench/', import.meta.url));
/** Where Go's own archive installs it, which is rarely on the PATH. */
const goArchive = '/usr/local/go/bin/go';

/** Paths of the built tools. */
export interface Tools {
  readonly load: string;
  readonly pion: string;
  readonly floor: string;
}

/** Builds them. Throws BenchError. */
export async function buildTools(): Promise<Tools> {
  await mkdir(outputFolder, { recursive: true });
  const tools = {
    load: join(outputFolder, 'load'),
    pion: join(outputFolder, 'pion-server'),
    floor: join(outputFolder, 'floor'),
  };
  const go = existsSync(goArchive) ? goArchive : 'go';
  const goHint =
    'Install Go (Debian: golang); it downloads its modules once, and a newer Go if it needs one.';
  await build(go, ['build', '-buildvcs=false', '-o', tools.load, './load'], goHint);
  await build(go, ['build', '-buildvcs=false', '-o', tools.pion, './pion-server'], goHint);
  const cHint = 'Install a C compiler and OpenSSL’s headers (Debian: gcc libssl-dev).';
  await build('cc', ['-O2', '-Wall', '-Wextra', '-o', tools.floor, 'floor.c', '-lcrypto'], cHint);
  return tools;
}

async function build(command: string, args: readonly string[], hint: string): Promise<void> {
  try {
    await run(command, args, { cwd: sources });
  } catch (error) {
    const reason = errorCode(error) === 'ENOENT' ? `${command} is not installed` : `${command} failed`;
    throw new BenchError(`The benchmark's programs can't be built: ${reason}.`, { cause: error, hint });
  }
}
