import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Partitions of the slots, on every appliance. */
const slotPartitions = ['52534c54-02', '52534c54-03', '52534c54-05', '52534c54-06'];

/**
 * Sectors read and written so far in the places an installation works on: the slots, and the network block device that a bundle
 * is streamed through. RAUC 1.13 reports nothing while it compares and copies blocks; that this number grows shows that it
 * does.
 */
export async function installActivity(
  sys = '/sys/class/block',
  links = '/dev/disk/by-partuuid',
): Promise<number> {
  const streamed = (await entries(sys)).filter((name) => name.startsWith('nbd'));
  const slots = await Promise.all(slotPartitions.map((id) => nameOf(join(links, id))));
  const counts = await Promise.all(
    [...streamed, ...slots].filter((name) => name !== '').map((name) => sectorsOf(join(sys, name, 'stat'))),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function entries(folder: string): Promise<string[]> {
  // A machine without it has nothing that could be active.
  return await readdir(folder).catch(() => []);
}

async function nameOf(link: string): Promise<string> {
  return await realpath(link).then(basename, () => ''); // No such partition here.
}

/** Fields 3 and 7 of the kernel's block statistics (Documentation/block/stat.rst). */
async function sectorsOf(file: string): Promise<number> {
  const fields = (await readFile(file, 'utf8').catch(() => '')).trim().split(/\s+/); // Gone between two looks.
  return (Number(fields[2]) || 0) + (Number(fields[6]) || 0);
}
