import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../../common/errors.ts';
import { jsonIn } from '../../common/json-text.ts';
import type { ChildSpec } from './child.ts';
import { isAlive } from './proc-stat.ts';
import type { OutputFiles } from './spawn-program.ts';

const entrySchema = z.object({
  name: z.string(),
  pid: z.int().min(2),
  startTicks: z.int().min(0),
  bootId: z.string(),
  specHash: z.string(),
  durable: z.boolean(),
  stopSignal: z.string().transform((signal) => signal as NodeJS.Signals),
  stopTimeoutMs: z.int().min(0),
});

/** A child as its file describes it. */
export type RegistryEntry = z.output<typeof entrySchema>;

/**
 * The children of this appliance, one file each, so that the next supervisor finds those that outlived this one. A file that is
 * broken or from another boot counts as absent.
 */
export class ChildRegistry {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  prepare(): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
  }

  outputFiles(name: string): OutputFiles {
    return {
      stdout: join(this.folder, `${name}.stdout.log`),
      stderr: join(this.folder, `${name}.stderr.log`),
    };
  }

  save(entry: Omit<RegistryEntry, 'bootId'>): void {
    const file = this.#entryFile(entry.name);
    const whole: RegistryEntry = { ...entry, bootId: bootId() };
    writeFileSync(`${file}.tmp`, `${JSON.stringify(whole)}\n`, { mode: 0o600 });
    renameSync(`${file}.tmp`, file);
  }

  /** Forgets a child and its output. If another child runs under the name by now, nothing is forgotten. */
  remove(name: string, pid: number): void {
    const entry = this.load(name);
    if (entry === undefined || entry.pid === pid) this.forget(name);
  }

  /** Forgets whatever had the name. */
  forget(name: string): void {
    const { stdout, stderr } = this.outputFiles(name);
    for (const file of [this.#entryFile(name), stdout, stderr]) rmSync(file, { force: true });
  }

  load(name: string): RegistryEntry | undefined {
    let text: string;
    try {
      text = readFileSync(this.#entryFile(name), 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    const entry = parseEntry(text);
    return entry?.bootId === bootId() ? entry : undefined;
  }

  /** Every child that has a file and lives. */
  living(): RegistryEntry[] {
    return this.names()
      .flatMap((name) => this.load(name) ?? [])
      .filter((entry) => isAlive(entry.pid, entry.startTicks));
  }

  /** Every child that has a file, alive or not. */
  names(): string[] {
    return readdirSync(this.folder).flatMap((file) =>
      file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : [],
    );
  }

  #entryFile(name: string): string {
    return join(this.folder, `${name}.json`);
  }
}

/** Whether two specs mean the same program: its argv and its environment variables. */
export function hashSpec(spec: ChildSpec): string {
  const variables = Object.entries(spec.env ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([spec.argv, variables]))
    .digest('hex');
}

/** Undefined for what something else wrote, or a power cut shortened: no child lives after one. */
function parseEntry(text: string): RegistryEntry | undefined {
  return entrySchema.safeParse(jsonIn(text)).data;
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
