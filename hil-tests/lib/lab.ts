import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { RigError } from './errors.ts';

const qemuLabSchema = z.strictObject({
  driver: z.literal('qemu'),
  arch: z.enum(['amd64', 'arm64']),
  image: z.string(),
  memory_mb: z.int().min(256),
  cores: z.int().min(1).max(64),
  card_mb: z.int().min(2048),
  ssd_mb: z.int().min(64),
  slowness: z.number().min(1).max(100),
  watchdog: z.boolean(),
});

const powerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('shelly'), host: z.string(), channel: z.int().min(0).default(0) }),
  z.strictObject({
    kind: z.literal('mqtt'),
    url: z.string(),
    topic: z.string(),
    on: z.string().default('ON'),
    off: z.string().default('OFF'),
  }),
  z.strictObject({ kind: z.literal('uhubctl'), location: z.string(), port: z.int().min(1) }),
  z.strictObject({
    kind: z.literal('command'),
    on: z.array(z.string()).min(1),
    off: z.array(z.string()).min(1),
  }),
]);

const boardLabSchema = z.strictObject({
  driver: z.literal('board'),
  image: z.string(),
  address: z.string(),
  slowness: z.number().min(1).max(100).default(1),
  console: z.strictObject({ device: z.string(), baud: z.int().default(115_200) }),
  power: powerSchema,
  storage: z.strictObject({
    /** Switches the card between rig and board: a program with the argument `host` or `dut`. */
    mux: z.array(z.string()).min(1),
    device: z.string(),
  }),
});

const labSchema = z.discriminatedUnion('driver', [qemuLabSchema, boardLabSchema]);

/** A lab file. */
export type Lab = z.output<typeof labSchema>;
/** A lab with a board. */
export type BoardLab = z.output<typeof boardLabSchema>;
/** How a board's power is switched. */
export type BoardPower = z.output<typeof powerSchema>;

/** Parses a lab. Throws RIG_LAB with what is wrong in the file. Pure. */
export function parseLab(name: string, text: string): Lab {
  let data: unknown;
  try {
    data = parse(text);
  } catch (cause) {
    throw new RigError('RIG_LAB', `labs/${name}.toml is no TOML`, { cause });
  }
  const result = labSchema.safeParse(data);
  if (result.success) return result.data;
  throw new RigError('RIG_LAB', `labs/${name}.toml: ${z.prettifyError(result.error)}`);
}

/** Reads labs/<name>.toml; the image's path in it is relative to the repository. */
export async function loadLab(folder: string, repository: string, name: string): Promise<Lab> {
  if (!/^[a-z0-9-]+$/.test(name)) throw new RigError('RIG_LAB', `${name} is no name of a lab`);
  const text = await readFile(join(folder, `${name}.toml`), 'utf8').catch((cause: unknown) => {
    throw new RigError('RIG_LAB', `there is no lab ${name}`, { cause });
  });
  const lab = parseLab(name, text);
  return { ...lab, image: resolve(repository, lab.image) };
}
