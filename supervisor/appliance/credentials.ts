import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { KeyStore } from '../api/access/key-store.ts';
import { writeFileAtomic } from '../config/atomic-write.ts';
import { errorCode } from '../errors.ts';
import type { DataPaths } from './data-folder.ts';

const secret = 0o600;

/** The keys of this appliance; at the first start an owner's token is made, for the console and the QR code. */
export async function loadKeys(paths: DataPaths, log: Logger): Promise<KeyStore> {
  const keys = new KeyStore({
    read: async () => parseOrNull(await contentOf(paths.keys)),
    write: (file) => writeFileAtomic(paths.keys, JSON.stringify(file, null, 2), secret),
  });
  await keys.load();
  if (!keys.list().some(({ role }) => role === 'owner')) {
    const { token } = await keys.create('owner', 'first boot');
    await writeFileAtomic(paths.ownerToken, `${token}\n`, secret);
    log.info({ file: paths.ownerToken }, 'made the owner token');
  }
  return keys;
}

async function contentOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function parseOrNull(text: string | null): unknown {
  return text === null ? null : JSON.parse(text);
}
