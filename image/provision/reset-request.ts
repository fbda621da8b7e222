import { open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** As an owner without a key names it, and as Windows does. */
const names: ReadonlySet<string> = new Set(['factory-reset', 'factory-reset.txt']);

/**
 * Whether a file on the card asks for a factory reset. The file is first removed from the card for good: a card that keeps it
 * would reset its device at every start. Rejects with the system's error, and then nothing may be reset.
 */
export async function takeResetRequest(card: string): Promise<boolean> {
  const found = (await readdir(card)).filter((name) => names.has(name.toLowerCase()));
  for (const name of found) await unlink(join(card, name));
  if (found.length === 0) return false;
  await using folder = await open(card, 'r');
  await folder.sync();
  return true;
}
