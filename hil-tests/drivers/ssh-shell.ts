import { join } from 'node:path';
import { runTool } from '../lib/run-tool.ts';

/** A key pair of the rig's own, made for one run. */
export async function makeKey(
  folder: string,
): Promise<{ readonly file: string; readonly publicKey: string }> {
  const file = join(folder, 'rig-key');
  await runTool(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'rig', '-f', file]);
  const publicKey = (await runTool(['ssh-keygen', '-y', '-f', file])).toString('utf8').trim();
  return { file, publicKey };
}

/** Commands on the device over SSH, through one connection that is kept open. The device's own key is not checked. */
export class SshShell {
  readonly #key: string;
  readonly #folder: string;
  readonly #endpoint: () => { readonly host: string; readonly port: number };

  constructor(key: string, folder: string, endpoint: () => { readonly host: string; readonly port: number }) {
    this.#key = key;
    this.#folder = folder;
    this.#endpoint = endpoint;
  }

  async run(
    command: string,
    options: { timeoutMs?: number; input?: string | Uint8Array } = {},
  ): Promise<string> {
    const { host, port } = this.#endpoint();
    const output = await runTool(
      ['ssh', ...this.#options(), '-p', String(port), `root@${host}`, `set -e; ${command}`],
      {
        timeoutMs: options.timeoutMs ?? 120_000,
        ...(options.input === undefined ? {} : { input: options.input }),
      },
    );
    return output.toString('utf8');
  }

  /** Drops the kept connection: its device is about to go away. */
  async forget(): Promise<void> {
    const { host, port } = this.#endpoint();
    // Without a connection there is nothing to end.
    await runTool(['ssh', ...this.#options(), '-p', String(port), '-O', 'exit', `root@${host}`]).catch(
      () => {},
    );
  }

  #options(): string[] {
    return [
      ...['-i', this.#key, '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes'],
      ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'],
      ...['-o', 'ConnectTimeout=60', '-o', 'ServerAliveInterval=15', '-o', 'ServerAliveCountMax=4'],
      ...[
        '-o',
        'ControlMaster=auto',
        '-o',
        `ControlPath=${join(this.#folder, 'ssh')}`,
        '-o',
        'ControlPersist=300',
      ],
    ];
  }
}
