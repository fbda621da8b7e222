import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../common/errors.ts';
import { writeFileAtomic } from '../../common/files.ts';
import { isAlive, readProcStat } from '../process/proc-stat.ts';
import { ApplianceError } from './appliance-error.ts';

/** Paths of everything that belongs to one appliance. */
export interface DataPaths {
  readonly root: string;
  /** What belongs to this run: children, pipes, sockets. */
  readonly run: string;
  readonly children: string;
  readonly state: string;
  readonly lastGoodConfig: string;
  readonly keys: string;
  readonly ownerToken: string;
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly takes: string;
  readonly mediaSocket: string;
  /** The API's address, for the command line. */
  readonly apiUrl: string;
}

/** The paths below a data folder. */
export function dataPaths(root: string): DataPaths {
  const run = join(root, 'run');
  return {
    root,
    run,
    children: join(run, 'children'),
    state: join(root, 'state.json'),
    lastGoodConfig: join(root, 'last-good.toml'),
    keys: join(root, 'keys.json'),
    ownerToken: join(root, 'owner-token'),
    tlsCert: join(root, 'tls-cert.pem'),
    tlsKey: join(root, 'tls-key.pem'),
    takes: join(root, 'takes'),
    mediaSocket: join(run, 'media.sock'),
    apiUrl: join(run, 'api-url'),
  };
}

/**
 * Claims the data folder for this process: two supervisors on one folder would end each other's children. Rejects with
 * DATA_IN_USE. The claim of a killed supervisor is taken over.
 */
export async function claimDataFolder(paths: DataPaths): Promise<AsyncDisposable> {
  await mkdir(paths.children, { recursive: true, mode: 0o700 });
  const file = join(paths.run, 'supervisor.json');
  const holder = await readHolder(file);
  if (holder !== null && holder.pid !== process.pid && isAlive(holder.pid, holder.startTicks)) {
    throw new ApplianceError('DATA_IN_USE', `${paths.root} is used by process ${holder.pid}.`, {
      hint: 'Stop that appliance, or set RUSHLIGHT_DATA to another folder.',
    });
  }
  const startTicks = readProcStat(process.pid)?.startTicks ?? 0;
  await writeFileAtomic(file, JSON.stringify({ pid: process.pid, startTicks }));
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}

async function readHolder(file: string): Promise<{ pid: number; startTicks: number } | null> {
  try {
    const { pid, startTicks } = JSON.parse(await readFile(file, 'utf8'));
    return typeof pid === 'number' && typeof startTicks === 'number' ? { pid, startTicks } : null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return null; // no owner, or an interrupted write
    throw error;
  }
}
