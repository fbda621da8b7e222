import { readFile, rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { describeError } from '../../common/errors.ts';
import { ifThere, readTextIfThere, writeFileAtomic } from '../../common/files.ts';
import type { DataPaths } from './data-folder.ts';
import { KeyStore } from './key-store.ts';

const readAttempts = 3;
const readPauseMs = 200;

/** A token as the key store makes it; after a power cut the file may hold less. */
const tokenLine = /^rl_[A-Za-z0-9_-]{43}\s*$/;

/** The keys of this appliance, and what the owner should know about them; null if there is nothing to report. */
export interface LoadedCredentials {
  readonly keys: KeyStore;
  readonly notice: string | null;
}

/**
 * At the first start an owner's token is made, for the console and the QR code. A damaged file does not prevent recording: a
 * copy of it is kept, every key that can be read safely stays valid, and if no owner's key is left a new token is made.
 */
export async function loadKeys(paths: DataPaths, log: Logger): Promise<LoadedCredentials> {
  const keys = new KeyStore({
    read: () => readOrPutAside(paths.keys, log),
    write: (file) => writeFileAtomic(paths.keys, `${JSON.stringify(file, null, 2)}\n`),
  });
  const { damage, unchecked } = await keys.load();
  const notices: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      log.error({ err: error, file: paths.keys }, what);
      notices.push(`${what}: ${describeError(error)}`);
    }
  };
  if (damage !== null) {
    const aside = asideOf(paths.keys);
    log.error({ file: paths.keys, aside, damage }, 'the key file is damaged and was put aside');
    notices.push(`The key file was damaged (${damage}); ${keys.list().length} keys could be kept.`);
    await attempt('the damaged key file cannot be put aside', () => copyAside(paths.keys, aside));
  }
  if (damage !== null || unchecked) {
    await attempt('the keys cannot be written', () => keys.keep());
  }
  const hasOwner = keys.list().some(({ role }) => role === 'owner');
  const damagedToken = hasOwner && (await isDamagedToken(paths.ownerToken, log));
  if (!hasOwner || damagedToken) {
    await attempt('an owner token cannot be kept', async () => {
      // The token first: otherwise the next start could find a key whose token no one knows.
      const beforeKept = (token: string) => writeFileAtomic(paths.ownerToken, `${token}\n`);
      const isFirst = damage === null && !damagedToken;
      await keys.create('owner', isFirst ? 'first boot' : 'after damage', { beforeKept });
      log.info({ file: paths.ownerToken }, 'made the owner token');
      if (!isFirst) notices.push('A new owner token was made; the console shows it.');
    });
  }
  return { keys, notice: notices.length === 0 ? null : notices.join(' ') };
}

/** Whether the console would show something that is no token: an owner's key whose token cannot be read is useless. */
async function isDamagedToken(file: string, log: Logger): Promise<boolean> {
  try {
    const text = await readTextIfThere(file);
    return text !== null && !tokenLine.test(text);
  } catch (error) {
    log.error({ err: error, file }, 'the owner token cannot be read');
    return true;
  }
}

/** A file that cannot be read at all counts as empty after a few tries, and is moved away. */
async function readOrPutAside(file: string, log: Logger): Promise<string | null> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readTextIfThere(file);
    } catch (error) {
      log.error({ err: error, file }, 'the key file cannot be read');
      if (attempt < readAttempts) await sleep(readPauseMs);
      else break;
    }
  }
  await rename(file, asideOf(file)).catch((error: unknown) => {
    log.error({ err: error, file }, 'the key file cannot be put aside');
  });
  return '';
}

async function copyAside(file: string, aside: string): Promise<void> {
  const bytes = await ifThere(readFile(file));
  if (bytes !== null) await writeFileAtomic(aside, bytes);
}

const asideOf = (file: string) => `${file}.broken`;
