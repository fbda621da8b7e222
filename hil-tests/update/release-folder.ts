import { mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { runTool } from '../lib/run-tool.ts';
import { BundleServer } from './bundle-server.ts';

const repository = join(import.meta.dirname, '../..');

/** A channel of updates on a web server of the rig's: what a publisher of releases has. */
export class ReleaseFolder implements AsyncDisposable {
  readonly #folder: string;
  readonly #server: BundleServer;
  /** As the guests see it. */
  readonly url: string;

  private constructor(folder: string, server: BundleServer, url: string) {
    this.#folder = folder;
    this.#server = server;
    this.url = url;
  }

  /** `address`: the rig's, as the devices reach it. */
  static async open(address: string): Promise<ReleaseFolder> {
    const folder = await mkdtemp(join(tmpdir(), 'rushlight-releases-'));
    const names = /^\/[\w.-]+$/;
    const server = new BundleServer((path) => (names.test(path) ? join(folder, path) : null));
    return new ReleaseFolder(folder, server, `http://${address}:${await server.listen()}/`);
  }

  async publish(bundle: string, version: string): Promise<void> {
    await symlink(bundle, join(this.#folder, basename(bundle)));
    const place = ['--folder', this.#folder, '--keys', join(repository, 'image/cache/keys')];
    const release = ['--bundle', bundle, '--version', version, '--compatible', 'rushlight-virt-amd64'];
    const program = join(repository, 'ota/channel/publish.ts');
    await runTool([process.execPath, program, ...place, ...release], { timeoutMs: 120_000 });
  }

  /** How often a bundle was sent as a whole: 1 if it was downloaded once. */
  async timesSent(bundle: string): Promise<number> {
    const { size } = await stat(bundle);
    return this.#server.sentBytesOf(join(this.#folder, basename(bundle))) / size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
