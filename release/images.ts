import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { imagerRepository } from './imager.ts';
import { sha256Of, type Workshop } from './workshop.ts';

/** A disk image as it is delivered: compressed, with the map of its used blocks. */
interface Disk {
  readonly image: string;
  readonly name: string;
}

/** The virtual image, its update bundle and the channel that offers it. Needs root. */
export async function makeVirtualImage(workshop: Workshop): Promise<void> {
  workshop.image('virt', '--arch', 'amd64');
  const image = join(imageOut(workshop), 'virt-amd64', 'disk.img');
  deliver(workshop, { image, name: `rushlight-${workshop.version}-virt-amd64` });
  await makeBundle(workshop, 'virt', 'rushlight-virt-amd64');
}

/** The boards' image, where one was built (`image/build pi`), its bundle, and the list for Raspberry Pi Imager. */
export async function makeBoardImage(workshop: Workshop): Promise<boolean> {
  const image = newestBoardImage(workshop);
  if (image === null) return false;
  const name = `rushlight-${workshop.version}-raspberrypi-arm64`;
  deliver(workshop, { image, name });
  await makeBundle(workshop, 'pi', 'rushlight-raspberrypi-arm64');
  await writeImagerList(workshop, image, name);
  return true;
}

/** Also useful alone, to see what Imager will be offered. */
export async function writeImagerList(workshop: Workshop, image: string, name: string): Promise<void> {
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

function deliver(workshop: Workshop, { image, name }: Disk): void {
  const packed = workshop.file(`${name}.img.xz`);
  workshop.run('bash', [
    '-c',
    // Its root is compressed already: more than the second level finds nothing.
    `xz --threads=2 -${workshop.options.fast ? 0 : 2} < "$1" > "$2.new" && mv "$2.new" "$2"`,
    'xz',
    image,
    packed,
  ]);
  workshop.run('bmaptool', ['--quiet', 'create', image, '--output', workshop.file(`${name}.img.bmap`)]);
}

function makeBundle(workshop: Workshop, flavour: 'virt' | 'pi', compatible: string): void {
  const folder = workshop.file('channel');
  mkdirSync(folder, { recursive: true });
  const channel = join(folder, 'stable.json');
  // Machines refuse an edition that is not newer than the one they know.
  const { channelBefore } = workshop.options;
  if (channelBefore !== null && !existsSync(channel)) copyFileSync(channelBefore, channel);
  const bundle = join(folder, `${compatible}-${workshop.version}.raucb`);
  const notes = join(workshop.work('notes'), 'notes.txt');
  writeFileSync(
    notes,
    notesOf(readFileSync(join(workshop.source, 'CHANGELOG.md'), 'utf8'), workshop.version),
  );
  workshop.image('bundle', '--flavour', flavour, '--notes', notes, '--out', bundle);
  const keys = process.env.RUSHLIGHT_KEYS ?? join(workshop.options.cache, 'keys');
  workshop.run(process.execPath, [
    join(workshop.source, 'ota', 'channel', 'publish.ts'),
    ...['--folder', folder, '--keys', keys, '--bundle', bundle, '--notes', notes],
    ...['--version', workshop.version, '--compatible', compatible],
  ]);
  // Web servers run as somebody else.
  chmodSync(channel, 0o644);
}

/** The part of a changelog about one version, or about what is unreleased. Pure. */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const own = sections.find(
    (text) =>
      text.startsWith(`${version} `) || text.startsWith(`[${version}]`) || text.startsWith(`${version}\n`),
  );
  const section = own ?? sections.find((text) => text.startsWith('Unreleased')) ?? '';
  return `Rushlight ${version}\n\n${section.slice(section.indexOf('\n') + 1).trim()}\n`;
}

function imageOut(workshop: Workshop): string {
  return process.env.RUSHLIGHT_OUT ?? join(workshop.source, 'image', 'out');
}

/** pi-gen's names begin with the day: the last one is the newest. */
function newestBoardImage(workshop: Workshop): string | null {
  const folder = join(imageOut(workshop), 'pi');
  if (!existsSync(folder)) return null;
  const images = readdirSync(folder).filter((name) => name.endsWith('.img'));
  const newest = images.sort().at(-1);
  return newest === undefined ? null : join(folder, newest);
}
