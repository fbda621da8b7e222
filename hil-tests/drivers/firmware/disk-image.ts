import { z } from 'zod';
import { RigError } from '../../lib/errors.ts';
import { runTool } from '../../lib/run-tool.ts';

const tableSchema = z.object({
  partitiontable: z.object({
    partitions: z.array(z.object({ node: z.string(), start: z.number(), size: z.number() })),
  }),
});

/** A partition of a disk, in bytes. */
export interface Partition {
  readonly number: number;
  readonly startByte: number;
  readonly sizeBytes: number;
}

const sectorBytes = 512;

/** The partitions of a raw disk image, by sfdisk(8). */
export async function partitionsOf(image: string): Promise<Partition[]> {
  const text = await runTool(['sfdisk', '--json', image]);
  const { partitions } = tableSchema.parse(JSON.parse(text.toString('utf8'))).partitiontable;
  return partitions.map(({ node, start, size }) => ({
    number: Number(/(\d+)$/.exec(node)?.[1]),
    startByte: start * sectorBytes,
    sizeBytes: size * sectorBytes,
  }));
}

/** Files of the FAT partitions of a disk that is not running, by mtools: no mount, no root. */
export class FatFiles {
  readonly #image: string;

  constructor(image: string) {
    this.#image = image;
  }

  async read(partition: number, name: string): Promise<Buffer> {
    return await runTool(['mtype', '-i', await this.#at(partition), `::/${name}`]);
  }

  /** The text, or null if there is no such file. */
  async readText(partition: number, name: string): Promise<string | null> {
    const names = await this.list(partition);
    if (!names.includes(name.toLowerCase())) return null;
    return (await this.read(partition, name)).toString('utf8');
  }

  /** Names in the top folder, in lower case. */
  async list(partition: number): Promise<string[]> {
    const text = await runTool(['mdir', '-b', '-i', await this.#at(partition), '::/']);
    return text
      .toString('utf8')
      .split('\n')
      .map((line) => line.trim().replace(/^::\//, '').toLowerCase())
      .filter((name) => name !== '');
  }

  async write(partition: number, name: string, contents: string | Uint8Array): Promise<void> {
    await runTool(['mcopy', '-D', 'o', '-i', await this.#at(partition), '-', `::/${name}`], {
      input: contents,
    });
  }

  async remove(partition: number, name: string): Promise<void> {
    await runTool(['mdel', '-i', await this.#at(partition), `::/${name}`]);
  }

  async copyOut(partition: number, name: string, path: string): Promise<void> {
    await runTool(['mcopy', '-n', '-D', 'o', '-i', await this.#at(partition), `::/${name}`, path]);
  }

  async #at(partition: number): Promise<string> {
    const found = (await partitionsOf(this.#image)).find((one) => one.number === partition);
    if (found === undefined) throw new RigError('RIG_TOOL', `${this.#image} has no partition ${partition}`);
    return `${this.#image}@@${found.startByte}`;
  }
}
