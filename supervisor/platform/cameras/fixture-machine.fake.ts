import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { RunCommand } from '../run-command.ts';
import type { SystemRoots } from './video-nodes.ts';

/** Controls that disable another one while they have a value, as in UVC cameras. */
const automatics: Readonly<Record<string, { readonly governs: string; readonly on: string }>> = {
  auto_exposure: { governs: 'exposure_time_absolute', on: '3' },
  white_balance_automatic: { governs: 'white_balance_temperature', on: '1' },
  focus_automatic_continuous: { governs: 'focus_absolute', on: '1' },
};

/**
 * A machine from a file in fixtures/: its part of /sys and /dev in a temporary folder (`path = text` is a file, `path -> path`
 * a link), and what its programs print.
 */
export class FixtureMachine implements AsyncDisposable {
  readonly #name: string;
  #folder = '';
  #outputs = new Map<string, string>();
  /** Command lines that were run, oldest first. */
  readonly ran: string[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  async open(): Promise<this> {
    this.#folder = await mkdtemp(join(tmpdir(), 'rushlight-machine-'));
    await mkdir(join(this.#folder, 'proc'));
    await this.become(this.#name);
    return this;
  }

  /** Turns the machine into another one, as after pulling and plugging. */
  async become(name: string): Promise<void> {
    const text = await readFile(join(import.meta.dirname, 'fixtures', `${name}.txt`), 'utf8');
    const parts = text.split(/^== /m).slice(1);
    for (const folder of ['sys', 'dev'])
      await rm(join(this.#folder, folder), { recursive: true, force: true });
    for (const folder of ['sys/class/video4linux', 'dev']) {
      await mkdir(join(this.#folder, folder), { recursive: true });
    }
    this.#outputs = new Map();
    for (const part of parts) {
      const end = part.indexOf('\n');
      const [kind = '', program = '', argument = ''] = part.slice(0, end).split(' ');
      const body = part.slice(end + 1);
      if (kind === 'tree') for (const line of body.split('\n')) await this.#lay(line);
      else this.#outputs.set(`${program} ${argument}`, body);
    }
  }

  /** Without this program, as if its package is missing. */
  without(program: string): void {
    for (const key of this.#outputs.keys()) if (key.startsWith(`${program} `)) this.#outputs.delete(key);
  }

  /** A process that has a node open. */
  async occupy(pid: number, node: string): Promise<void> {
    const folder = join(this.roots.proc, String(pid), 'fd');
    await mkdir(folder, { recursive: true });
    await symlink(join(this.roots.dev, node), join(folder, '5'));
  }

  get roots(): SystemRoots {
    return {
      sys: join(this.#folder, 'sys'),
      dev: join(this.#folder, 'dev'),
      proc: join(this.#folder, 'proc'),
    };
  }

  readonly run: RunCommand = async ([program, ...args]) => {
    this.ran.push([program, ...args].join(' '));
    const device = args.indexOf('--device');
    const key = device < 0 ? args[0] : basename(args[device + 1] ?? '');
    const set = args.indexOf('--set-ctrl');
    if (set >= 0) this.#setControls(`${program} ${key}`, args[set + 1] ?? '');
    const stdout = this.#outputs.get(`${program} ${key}`);
    if (stdout === undefined) return { code: null, stdout: '', stderr: `spawn ${program} ENOENT` };
    return { code: 0, stdout, stderr: '' };
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** How a camera reacts to new values: it shows them from then on, and its automatics disable their controls. */
  #setControls(key: string, settings: string): void {
    let text = this.#outputs.get(key) ?? '';
    for (const setting of settings.split(',')) {
      const [id = '', value = ''] = setting.split('=');
      text = text.replace(new RegExp(`^( *${id} 0x.*\\bvalue=)-?\\d+(?: \\(.*\\))?`, 'm'), `$1${value}`);
      const automatic = automatics[id];
      if (automatic === undefined) continue;
      const governed = new RegExp(`^( *${automatic.governs} 0x.*?)(?: flags=inactive)?$`, 'm');
      text = text.replace(governed, value === automatic.on ? '$1 flags=inactive' : '$1');
    }
    this.#outputs.set(key, text);
  }

  async #lay(line: string): Promise<void> {
    const link = line.split(' -> ');
    const file = line.split(' = ');
    const path = join(this.#folder, (link.length === 2 ? link[0] : file[0]) ?? '');
    if (line.trim() === '') return;
    await mkdir(dirname(path), { recursive: true });
    if (link.length === 2) {
      await mkdir(dirname(join(this.#folder, link[1] ?? '')), { recursive: true });
      // One device's driver is laid by each of its nodes.
      await rm(path, { force: true });
      await symlink(join(this.#folder, link[1] ?? ''), path);
    } else {
      await writeFile(path, `${file[1] ?? ''}\n`);
    }
  }
}
