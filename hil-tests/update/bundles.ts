import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FatFiles, partitionsOf } from '../drivers/firmware/disk-image.ts';
import { runTool } from '../lib/run-tool.ts';

const repository = join(import.meta.dirname, '../..');
const longMs = 900_000;
const product = 'usr/lib/rushlight';

/** Changes to a copy of the system before it becomes a bundle. */
export interface Variant {
  readonly version: string;
  /** Shell that runs in the root tree; without it the root is the image's own, with the image's version inside. */
  readonly root?: string;
  /** Words added to the kernel's command line. */
  readonly cmdline?: string;
  /** With the block hash index; the first installation then hashes both slots. */
  readonly index?: boolean;
  /** Folder of keys that the image does not trust. */
  readonly keys?: string;
  readonly compatible?: string;
}

/** Makes bundles from a built image, each with one change. Needs root, because files keep their owners. */
export class BundleKitchen implements AsyncDisposable {
  readonly #image: string;
  #folder: string | null = null;
  #tree: Promise<string> | null = null;

  /** `image`: folder with `disk.img` and `root.squashfs`. */
  constructor(image: string) {
    this.#image = image;
  }

  /** The path of the bundle. */
  async make(variant: Variant): Promise<string> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'rushlight-bundles-'));
    const at = (name: string) => join(this.#folder ?? '', `${variant.version}${name}`);
    const root =
      variant.root === undefined
        ? join(this.#image, 'root.squashfs')
        : await this.root(variant.version, variant.root);
    const images = ['--boot', await this.#boot(at('-boot.vfat'), variant.cmdline ?? ''), '--root', root];
    const bundle = at('.raucb');
    const compatible = variant.compatible ?? 'rushlight-virt-amd64';
    const identity = ['--compatible', compatible, '--version', variant.version];
    const keys = variant.keys ?? join(repository, 'image/cache/keys');
    const options = ['--keys', keys, '--out', bundle];
    if (variant.index !== true) options.push('--index', 'no');
    const make = join(repository, 'ota/bundle/make');
    await runTool(['nice', make, ...images, ...identity, ...options], { timeoutMs: longMs });
    return bundle;
  }

  /** A folder of keys that no image trusts. */
  async strangersKeys(): Promise<string> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'rushlight-bundles-'));
    const keys = join(this.#folder, 'strangers');
    await runTool([join(repository, 'ota/bundle/pki'), 'init', keys], { timeoutMs: 120_000 });
    return keys;
  }

  /** A root image with another version and a change; the tree is restored for the next one. */
  async root(version: string, change: string): Promise<string> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'rushlight-bundles-'));
    const path = join(this.#folder, `${version}-root.squashfs`);
    this.#tree ??= this.#unpack(join(this.#folder, 'tree'));
    const tree = await this.#tree;
    const file = join(tree, product, 'package.json');
    const before = await readFile(file, 'utf8');
    const saved = join(this.#folder, 'saved.tar');
    const parts = ['etc', `${product}/supervisor`, `${product}/media`];
    await runTool(['tar', '-C', tree, '-cf', saved, ...parts]);
    try {
      await writeFile(file, before.replace(/"version": *"[^"]*"/, `"version": "${version}"`));
      await runTool(['sh', '-ec', `cd "$1"\n${change}`, 'sh', tree]);
      // Packed like image/lib/disk.sh, so that unchanged data stays at its place.
      const script = `OUT_DIR=. IMAGE_DIR=${repository}/image; . ${repository}/image/lib/common.sh
        . ${repository}/image/lib/layout.sh; . ${repository}/image/lib/disk.sh; root_image "$1" "$2"`;
      await runTool(['nice', 'bash', '-ec', script, 'bash', tree, path], { timeoutMs: longMs });
    } finally {
      await writeFile(file, before);
      const back = `cd "$1"; rm -rf ${product}/supervisor ${product}/media; tar -xf "$2"`;
      await runTool(['sh', '-ec', back, 'sh', tree, saved]);
    }
    return path;
  }

  async #boot(path: string, words: string): Promise<string> {
    const disk = join(this.#image, 'disk.img');
    const part = (await partitionsOf(disk)).find(({ number }) => number === 2);
    const [start, size] = [part?.startByte ?? 0, part?.sizeBytes ?? 0].map((bytes) => bytes / 1048576);
    const range = ['bs=1M', `skip=${start}`, `count=${size}`, 'conv=sparse', 'status=none'];
    await runTool(['dd', `if=${disk}`, `of=${path}`, ...range]);
    const cmdline = (await new FatFiles(disk).read(2, 'cmdline.txt')).toString('utf8').trim();
    await runTool(['mcopy', '-D', 'o', '-i', path, '-', '::/cmdline.txt'], {
      input: `${cmdline} ${words}\n`,
    });
    return path;
  }

  async #unpack(tree: string): Promise<string> {
    const source = join(this.#image, 'root.squashfs');
    await runTool(['nice', 'unsquashfs', '-quiet', '-no-progress', '-dest', tree, source], {
      timeoutMs: longMs,
    });
    return tree;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }
}
