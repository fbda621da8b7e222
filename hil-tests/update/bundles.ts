import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { partitionsOf } from '../drivers/firmware/disk-image.ts';
import { runTool } from '../lib/run-tool.ts';

const repository = join(import.meta.dirname, '../..');
const longMs = 900_000;

/** What is done to a copy of the system before it becomes a bundle. */
export interface Variant {
  readonly version: string;
  /** Shell that runs in the root tree. */
  readonly root?: string;
  /** Shell that runs with the boot partition's image as `$1`, for mtools. */
  readonly boot?: string;
  /** Keys that the image does not trust. */
  readonly keys?: string;
  readonly compatible?: string;
}

/** Makes bundles out of an image that was built, each with one change. Needs root, as files keep their owners. */
export class BundleKitchen implements AsyncDisposable {
  readonly #image: string;
  #folder: string | null = null;

  /** `image`: folder with `disk.img` and `root.squashfs`. */
  constructor(image: string) {
    this.#image = image;
  }

  /** The path of the bundle. */
  async make(variant: Variant): Promise<string> {
    const folder = await this.#prepare();
    const tree = join(folder, 'tree');
    const file = join(tree, 'usr/lib/rushlight/package.json');
    const before = await readFile(file, 'utf8');
    const saved = join(folder, 'saved.tar');
    try {
      // What a variant changes lies there; put back for the next one.
      await runTool([
        'tar',
        '-C',
        tree,
        '-cf',
        saved,
        'etc',
        'usr/lib/rushlight/supervisor',
        'usr/lib/rushlight/media',
      ]);
      await writeFile(file, before.replace(/"version": *"[^"]*"/, `"version": "${variant.version}"`));
      if (variant.root !== undefined) await runTool(['sh', '-ec', `cd "$1"\n${variant.root}`, 'sh', tree]);
      return await this.#pack(folder, tree, variant);
    } finally {
      await writeFile(file, before);
      const back = 'cd "$1"; rm -rf usr/lib/rushlight/supervisor usr/lib/rushlight/media; tar -xf "$2"';
      await runTool(['sh', '-ec', back, 'sh', tree, saved]);
    }
  }

  async #pack(folder: string, tree: string, variant: Variant): Promise<string> {
    const root = join(folder, 'root.squashfs');
    const out = join(folder, `${variant.version}.raucb`);
    await runTool(['rm', '-f', root, out]);
    // Quick rather than small: these are for this machine alone.
    const options = [
      '-quiet',
      '-no-progress',
      '-comp',
      'zstd',
      '-Xcompression-level',
      '2',
      '-b',
      '256K',
      '-xattrs',
    ];
    await runTool(['nice', 'mksquashfs', tree, root, ...options], { timeoutMs: longMs });
    const boot = join(folder, 'boot.vfat');
    await this.#bootPartition(boot);
    if (variant.boot !== undefined) await runTool(['sh', '-ec', variant.boot, 'sh', boot]);
    const keys = variant.keys ?? join(repository, 'image/cache/keys');
    const compatible = variant.compatible ?? 'rushlight-virt-amd64';
    const inputs = ['--root', root, '--boot', boot, '--out', out, '--keys', keys];
    const identity = ['--compatible', compatible, '--version', variant.version];
    const make = join(repository, 'ota/bundle/make');
    await runTool(['nice', make, ...inputs, ...identity], { timeoutMs: longMs });
    return out;
  }

  async #bootPartition(path: string): Promise<void> {
    const disk = join(this.#image, 'disk.img');
    const part = (await partitionsOf(disk)).find(({ number }) => number === 2);
    const [start, size] = [part?.startByte ?? 0, part?.sizeBytes ?? 0].map((bytes) =>
      String(bytes / 1048576),
    );
    await runTool([
      'dd',
      ...[
        `if=${disk}`,
        `of=${path}`,
        'bs=1M',
        `skip=${start}`,
        `count=${size}`,
        'conv=sparse',
        'status=none',
      ],
    ]);
  }

  async #prepare(): Promise<string> {
    if (this.#folder !== null) return this.#folder;
    const folder = await mkdtemp(join(tmpdir(), 'rushlight-bundles-'));
    await runTool(
      [
        'unsquashfs',
        '-quiet',
        '-no-progress',
        '-dest',
        join(folder, 'tree'),
        join(this.#image, 'root.squashfs'),
      ],
      { timeoutMs: longMs },
    );
    this.#folder = folder;
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }
}
