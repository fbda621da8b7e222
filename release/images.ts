import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { newestBoardImage } from './board.ts';
import { imagerRepository } from './imager.ts';
import { sha256Of, type Workshop } from './workshop.ts';

/** A disk image as it is delivered: compressed, with the map of its used blocks. */
interface Disk {
  readonly image: string;
  readonly name: string;
}

/** Why this machine can make no disk image; null if it can. */
export function imageObstacle(): string | null {
  if (process.getuid?.() !== 0) return 'this needs root: sudo npm run release';
  const { status } = spawnSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
  return status === 0 ? null : 'this machine does not let anything be mounted';
}

/** The virtual image, its update bundle and the channel that offers it. Needs root that may mount. */
export async function makeVirtualImage(workshop: Workshop): Promise<void> {
  await workshop.image('virt', '--arch', 'amd64');
  const image = join(imageOut(workshop), 'virt-amd64', 'disk.img');
  await deliver(workshop, { image, name: `rushlight-${workshop.version}-virt-amd64` });
  await makeBundle(workshop, 'virt', 'rushlight-virt-amd64');
}

/**
 * The boards' image as `image/build pi` left it, its bundle, and the list for Raspberry Pi Imager. Throws if that image is of
 * other sources, or no board could start it.
 */
export async function makeBoardImage(workshop: Workshop): Promise<'made' | 'none there'> {
  const image = newestBoardImage(join(imageOut(workshop), 'pi'), workshop.git('rev-parse', 'HEAD'));
  if (image === null) return 'none there';
  const name = `rushlight-${workshop.version}-raspberrypi-arm64`;
  await deliver(workshop, { image, name });
  await makeBundle(workshop, 'pi', 'rushlight-raspberrypi-arm64');
  await writeImagerList(workshop, image, name);
  return 'made';
}

/** Also useful alone, to see what Imager will be offered. */
async function writeImagerList(workshop: Workshop, image: string, name: string): Promise<void> {
  copyFileSync(join(workshop.source, 'supervisor', 'web', 'src', 'icon.svg'), workshop.file('rushlight.svg'));
  const packed = workshop.file(`${name}.img.xz`);
  const list = imagerRepository({
    version: workshop.version,
    baseUrl: workshop.options.baseUrl,
    fileName: basename(packed),
    bmapName: `${name}.img.bmap`,
    released: workshop.created,
    extractedBytes: statSync(image).size,
    extractedSha256: await sha256Of(image),
    downloadBytes: statSync(packed).size,
    downloadSha256: await sha256Of(packed),
  });
  writeFileSync(workshop.file('rushlight-imager.json'), `${JSON.stringify(list, null, 2)}\n`);
}

async function deliver(workshop: Workshop, { image, name }: Disk): Promise<void> {
  const packed = workshop.file(`${name}.img.xz`);
  await workshop.run('bash', [
    '-c',
    // Its root is compressed already: more than the second level finds nothing.
    `xz --threads=2 -${workshop.options.fast ? 0 : 2} < "$1" > "$2.new" && mv "$2.new" "$2"`,
    'xz',
    image,
    packed,
  ]);
  await workshop.run('bmaptool', ['--quiet', 'create', image, '--output', workshop.file(`${name}.img.bmap`)]);
}

async function makeBundle(workshop: Workshop, flavour: 'virt' | 'pi', compatible: string): Promise<void> {
  const folder = workshop.file('channel');
  mkdirSync(folder, { recursive: true });
  const channel = join(folder, 'stable.json');
  // Machines refuse an edition that is not newer than the one they know.
  const { channelBefore } = workshop.options;
  if (channelBefore !== null && !existsSync(channel)) copyFileSync(channelBefore, channel);
  const bundle = join(folder, `${compatible}-${workshop.version}.raucb`);
  const notes = join(workshop.work('notes'), 'notes.txt');
  const news = workshop.read(join(workshop.source, 'scripts', 'release-notes.mjs'), [workshop.version]);
  writeFileSync(notes, `Rushlight ${workshop.version}\n\n${news}\n`);
  await workshop.image('bundle', '--flavour', flavour, '--notes', notes, '--out', bundle);
  const keys = process.env.RUSHLIGHT_KEYS ?? join(workshop.options.cache, 'keys');
  await workshop.run(process.execPath, [
    join(workshop.source, 'ota', 'channel', 'publish.ts'),
    ...['--folder', folder, '--keys', keys, '--bundle', bundle, '--notes', notes],
    ...['--version', workshop.version, '--compatible', compatible],
  ]);
  // Web servers run as somebody else.
  chmodSync(channel, 0o644);
}

function imageOut(workshop: Workshop): string {
  return process.env.RUSHLIGHT_OUT ?? join(workshop.source, 'image', 'out');
}
