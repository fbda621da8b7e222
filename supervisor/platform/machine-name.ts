import { join } from 'node:path';
import { writeFileAtomic } from '../../common/files.ts';
import { type RunCommand, runCommand } from './run-command.ts';

/** What the machine is called, where the image lets us say it. */
export interface MachineName {
  /** Rejects with the system's error. */
  set(name: string): Promise<void>;
  /** Asks avahi once more for the name that was set, if it answers for another. Rejects with the system's error. */
  askAgain(): Promise<void>;
  /** The name that avahi answers for, with a number appended if another machine has it, too; null without avahi. */
  answered(): Promise<string | null>;
}

const askAvahi = [
  ...['busctl', '--system', '--timeout=5', 'call'],
  ...['org.freedesktop.Avahi', '/', 'org.freedesktop.Avahi.Server', 'GetHostName'],
] as const;

/** On the image, which watches the file in the runtime folder. Elsewhere a machine keeps its name. */
export class ImageMachineName implements MachineName {
  readonly #folder: string;
  readonly #run: RunCommand;
  #name: string | null = null;

  constructor(folder: string, run: RunCommand = runCommand) {
    this.#folder = folder;
    this.#run = run;
  }

  async set(name: string): Promise<void> {
    if (name === this.#name) return;
    await writeFileAtomic(join(this.#folder, 'name'), `${name}\n`, { mode: 0o644, durable: false });
    this.#name = name;
  }

  async askAgain(): Promise<void> {
    if (this.#name === null) return;
    const text = `${this.#name}\nagain\n`;
    await writeFileAtomic(join(this.#folder, 'name'), text, { mode: 0o644, durable: false });
  }

  async answered(): Promise<string | null> {
    const { code, stdout } = await this.#run([...askAvahi]);
    const name = /^s "([a-zA-Z0-9-]{1,63})"\s*$/.exec(stdout)?.[1];
    return code === 0 && name !== undefined ? name : null;
  }
}

/** Null if no image gave us a runtime folder. */
export function machineNameOfImage(environment: NodeJS.ProcessEnv = process.env): MachineName | null {
  const folder = environment.RUNTIME_DIRECTORY?.split(':')[0] ?? '';
  return folder === '' ? null : new ImageMachineName(folder);
}
