import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FatFiles } from '../drivers/firmware/disk-image.ts';
import { runTool } from '../lib/run-tool.ts';
import { addToInitramfs } from './cpio.ts';

const repository = join(import.meta.dirname, '../..');
const overlay = join(repository, 'overlays/rootfs');
const ours = 'usr/libexec/rushlight';
/** The board that bundles of the small system are for. */
const smallCompatible = 'rushlight-small-amd64';
const payloadBytes = 2 * 1024 * 1024;

/** Programs of the image that an update needs, or the guest's init. */
const programs = [
  'date',
  ...['sh', 'cat', 'cp', 'cut', 'head', 'mkdir', 'mv', 'rm', 'sha256sum', 'sleep', 'sort', 'sync', 'tr'],
  ...['grep', 'sed', 'mount', 'umount', 'modprobe', 'ip', 'dbus-daemon', 'systemctl', 'rauc'],
];
/** Where they are; the rest of the image is not unpacked. */
const parts = [
  ...['bin', 'sbin', 'lib', 'lib64', 'etc/passwd', 'etc/group', 'usr/bin', 'usr/sbin', 'usr/lib64'],
  ...['usr/lib/x86_64-linux-gnu', 'usr/lib/modules', 'usr/share/dbus-1'],
];
const modules = ['virtio_net', 'nbd', 'loop', 'dm-verity'];

/** One version of the small system in a slot. */
export interface SmallRelease {
  readonly version: string;
  readonly root: string;
  /** The boot partition's image, before the slot hook adapted its command line. */
  readonly boot: string;
  readonly bundle: string;
  readonly payloadSha256: string;
}

/**
 * A system that does nothing but update itself: kernel, initramfs, RAUC and its libraries are the image's, selector, handlers
 * and settings are the tree's, init is the rig's. It fits into a few megabytes, so that an update takes seconds.
 */
export class SmallSystem {
  readonly #image: string;
  readonly #folder: string;
  readonly #keys: string;

  /** `image`: folder with `disk.img` and `root.squashfs`. `folder`: an empty one to work in. */
  constructor(image: string, folder: string) {
    this.#image = image;
    this.#folder = folder;
    this.#keys = join(folder, 'keys');
  }

  get #tree(): string {
    return join(this.#folder, 'tree');
  }

  /** Makes the parts that all releases share. */
  async prepare(): Promise<void> {
    const whole = join(this.#folder, 'whole');
    const source = join(this.#image, 'root.squashfs');
    const unpack = ['unsquashfs', '-quiet', '-no-progress', '-dest', whole, source, ...parts] as const;
    await runTool(unpack, { timeoutMs: 600_000 });
    await this.#copyPrograms(whole);
    await runTool(['rm', '-rf', whole], { timeoutMs: 600_000 });
    await runTool([join(repository, 'ota/bundle/pki'), 'init', this.#keys], { timeoutMs: 120_000 });
    await this.#copyOurs();
    await this.#bootFiles();
  }

  /** Makes a release whose root and boot partition differ from every other one's. */
  async release(version: string): Promise<SmallRelease> {
    const at = (name: string) => join(this.#folder, `${version}-${name}`);
    const payload = randomBytes(payloadBytes);
    await writeFile(join(this.#tree, 'payload'), payload);
    await mkdir(join(this.#tree, 'usr/lib/rushlight'), { recursive: true });
    await writeFile(join(this.#tree, 'usr/lib/rushlight/package.json'), `{\n "version": "${version}"\n}\n`);
    const root = at('root.img');
    const squash = ['-quiet', '-no-progress', '-all-root', '-comp', 'zstd', '-Xcompression-level', '3'];
    await runTool(['nice', 'mksquashfs', this.#tree, root, ...squash], { timeoutMs: 120_000 });
    const boot = at('boot.vfat');
    await runTool(['truncate', '-s', `${smallBootMib}M`, boot]);
    await runTool(['mkfs.vfat', '-F', '32', boot]);
    await writeFile(join(this.#folder, 'boot/payload'), randomBytes(1024 * 1024));
    const files = ['kernel.img', 'initramfs.img', 'config.txt', 'cmdline.txt', 'payload'];
    await runTool(['mcopy', '-i', boot, ...files.map((name) => join(this.#folder, 'boot', name)), '::/']);
    const bundle = await this.bundle(version, root, boot);
    const payloadSha256 = (await runTool(['sha256sum', join(this.#tree, 'payload')])).toString().slice(0, 64);
    return { version, root, boot, bundle, payloadSha256 };
  }

  /** A bundle that the small system accepts, made of any images. */
  async bundle(version: string, root: string, boot: string): Promise<string> {
    const bundle = join(this.#folder, `${version}-bundle.raucb`);
    const inputs = ['--root', root, '--boot', boot, '--keys', this.#keys, '--out', bundle];
    const identity = ['--compatible', smallCompatible, '--version', version];
    const make = join(repository, 'ota/bundle/make');
    await runTool(['nice', make, ...inputs, ...identity], { timeoutMs: 600_000 });
    return bundle;
  }

  async #copyPrograms(whole: string): Promise<void> {
    const inside = async (script: string) =>
      (await runTool(['chroot', whole, '/bin/sh', '-c', script])).toString('utf8').trim().split(/\s+/);
    const paths = await inside(
      `export PATH=/usr/sbin:/usr/bin; for p in ${programs.join(' ')}; do command -v $p; done`,
    );
    const libraries = await inside(`ldd ${paths.join(' ')} | grep -o '/[^ :]*' | sort -u`);
    const kernel = (await runTool(['ls', join(whole, 'usr/lib/modules')])).toString('utf8').trim();
    const drivers = (
      await inside(
        `for m in ${modules.join(' ')}; do /usr/sbin/modprobe -S ${kernel} --show-depends $m; done | grep -o '/[^ ]*'`,
      )
    ).filter((path, index, all) => all.indexOf(path) === index);
    for (const link of ['bin', 'sbin', 'lib', 'lib64']) {
      await mkdir(join(this.#tree, 'usr', link), { recursive: true });
      await symlink(`usr/${link}`, join(this.#tree, link));
    }
    const depends = (await runTool(['ls', join(whole, 'usr/lib/modules', kernel)])).toString('utf8').trim();
    const indexes = depends
      .split('\n')
      .filter((name) => name.startsWith('modules.'))
      .map((name) => `/usr/lib/modules/${kernel}/${name}`);
    const settings = ['/etc/passwd', '/etc/group', '/usr/share/dbus-1'];
    for (const path of [...paths, ...libraries, ...drivers, ...indexes, ...settings]) {
      const merged = path.startsWith('/usr/') || path.startsWith('/etc/') ? path : `/usr${path}`;
      const to = join(this.#tree, merged);
      await mkdir(dirname(to), { recursive: true });
      // Libraries are found by their links' names.
      await cp(join(whole, merged), to, { recursive: true, dereference: true });
    }
  }

  async #copyOurs(): Promise<void> {
    for (const name of [
      'proc',
      'sys',
      'dev',
      'run',
      'tmp',
      'var',
      'data',
      'boot/rushlight',
      ours,
      'etc/rauc',
    ]) {
      await mkdir(join(this.#tree, name), { recursive: true });
    }
    for (const name of ['selector', 'rauc-pre-install', 'rauc-system-info']) {
      await cp(join(overlay, ours, name), join(this.#tree, ours, name));
    }
    const settings = await readFile(join(overlay, 'etc/rauc/system.conf'), 'utf8');
    await writeFile(
      join(this.#tree, 'etc/rauc/system.conf'),
      settings.replaceAll('@COMPATIBLE@', smallCompatible),
    );
    await cp(join(this.#keys, 'keyring.pem'), join(this.#tree, 'etc/rauc/keyring.pem'));
    await cp(join(import.meta.dirname, '../guest/update-init'), join(this.#tree, 'update-init'));
    await chmod(join(this.#tree, 'update-init'), 0o755);
  }

  async #bootFiles(): Promise<void> {
    const folder = join(this.#folder, 'boot');
    await mkdir(folder);
    const files = new FatFiles(join(this.#image, 'disk.img'));
    for (const name of ['kernel.img', 'initramfs.img', 'config.txt']) {
      await files.copyOut(2, name, join(folder, name));
    }
    const first = await readFile(join(import.meta.dirname, '../guest/update-early-init'));
    const agent: Record<string, { data: Buffer; mode: number }> = {
      'update-early-init': { data: first, mode: 0o755 },
    };
    for (const name of ['selector', 'selector-at-boot']) {
      agent[`${ours}/${basename(name)}`] = { data: await readFile(join(overlay, ours, name)), mode: 0o755 };
    }
    await addToInitramfs(join(folder, 'initramfs.img'), agent);
    const cmdline = (await readFile(join(repository, 'image/cmdline.txt'), 'utf8'))
      .replace('@CONSOLE@', 'ttyS0')
      .replace('@ROOT@', 'PARTUUID=52534c54-05')
      .replace('@SLOT@', 'A');
    await writeFile(join(folder, 'cmdline.txt'), cmdline);
  }
}

/** Size of a boot slot of the small system. */
export const smallBootMib = 36;
