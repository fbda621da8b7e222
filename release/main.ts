import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError } from '../common/errors.ts';
import { artefacts, sign, writeLists, writeProvenance } from './documents.ts';
import { imageObstacle, makeBoardImage, makeVirtualImage } from './images.ts';
import { makeDeb, makeImages, makeLayers, makeRepository, makeTarball } from './packages.ts';
import { tagFits } from './version.ts';
import { writeVulnerabilities } from './vulnerabilities.ts';
import { architectures, Workshop } from './workshop.ts';

const usage = `npm run release: makes everything that people install, in dist/, in the version of package.json

  npm run release -- [OPTION]…

  --only LIST      of tarball,deb,apt,oci,image,documents (commas between); default all
  --arch LIST      of amd64,arm64; default both
  --keys FOLDER    signing keys, made by release/keys; default RUSHLIGHT_RELEASE_KEYS, or keys of this clone
  --base-url URL   where the files will be fetched from; stands in the list for Raspberry Pi Imager
  --channel FILE   stable.json as published last; the new edition is counted on from it
  --board          builds the boards' image first, by pi-gen and Raspberry Pi's archive; else one that was built before is taken
  --tag TAG        fails if the tag is not that of the version
  --fast           compresses little, for trying things out
`;
const parts = ['tarball', 'deb', 'apt', 'oci', 'image', 'documents'] as const;
type Part = (typeof parts)[number];

const source = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    arch: { type: 'string' },
    keys: { type: 'string' },
    'base-url': { type: 'string', default: 'https://rushlight.invalid/releases' },
    channel: { type: 'string' },
    tag: { type: 'string' },
    board: { type: 'boolean', default: false },
    fast: { type: 'boolean', default: false },
    out: { type: 'string', default: join(source, 'dist') },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const chosen = listOf(values.only, parts);
  const cache = resolve(process.env.RUSHLIGHT_CACHE ?? join(source, 'image', 'cache'));
  const workshop = new Workshop(source, {
    out: resolve(values.out),
    keys: resolve(values.keys ?? process.env.RUSHLIGHT_RELEASE_KEYS ?? join(cache, 'release-keys')),
    cache,
    architectures: listOf(values.arch, architectures),
    baseUrl: values['base-url'].replace(/\/$/, ''),
    channelBefore: values.channel === undefined ? null : resolve(values.channel),
    fast: values.fast,
  });
  if (values.tag !== undefined && !tagFits(values.tag, workshop.version)) {
    throw new Error(`the tag ${values.tag} is not that of version ${workshop.version} in package.json`);
  }
  const { out, architectures: archs } = workshop.options;
  // A release is complete or absent: nothing of an earlier one stays.
  if (chosen.length === parts.length) rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const does = (part: Part) => chosen.includes(part);
  for (const arch of archs) {
    if (does('tarball')) await workshop.step(`tarball ${arch}`, () => makeTarball(workshop, arch));
    if (does('deb')) await workshop.step(`deb ${arch}`, () => makeDeb(workshop, arch));
    if (does('oci')) await workshop.step(`container layers ${arch}`, () => makeLayers(workshop, arch));
  }
  if (does('apt')) await workshop.step('apt repository', () => makeRepository(workshop));
  if (does('oci'))
    await workshop.step('container images', async () => sayFetched(await makeImages(workshop)));
  if (does('image')) await makeDiskImages(workshop, values.only !== undefined);
  if (does('documents')) {
    for (const arch of archs) await workshop.step(`lists of parts ${arch}`, () => writeLists(workshop, arch));
    await workshop.step('known vulnerabilities', () => writeVulnerabilities(workshop));
    await workshop.step('provenance', () => writeProvenance(workshop));
    await workshop.step('signatures', () => sign(workshop));
  }
  summary(workshop);
}

/** Those that this machine can make; `required`: fails if it can make none. */
async function makeDiskImages(workshop: Workshop, required: boolean): Promise<void> {
  const obstacle = imageObstacle();
  if (obstacle !== null) {
    const missing = `no virtual image, update bundle or channel: ${obstacle}`;
    if (required) throw new Error(missing);
    workshop.leaveOut(missing);
  } else {
    await workshop.step('virtual image, bundle, channel', () => makeVirtualImage(workshop));
  }
  if (values.board) await workshop.step("boards' image", () => workshop.image('pi'));
  await workshop.step("boards' image, packed", async () => {
    if ((await makeBoardImage(workshop)) === 'made') return;
    workshop.leaveOut("no boards' image and no list for Raspberry Pi Imager: build it with --board");
  });
}

function listOf<T extends string>(text: string | undefined, all: readonly T[]): readonly T[] {
  if (text === undefined) return all;
  return text.split(',').map((word) => {
    const found = all.find((one) => one === word);
    if (found === undefined) throw new Error(`"${word}" is none of ${all.join(', ')}`);
    return found;
  });
}

function sayFetched(fetched: ReadonlyMap<string, number>): void {
  for (const [image, bytes] of fetched) process.stdout.write(`${image}: ${mib(bytes)} to fetch\n`);
}

function summary(workshop: Workshop): void {
  process.stdout.write('\n');
  for (const [name, seconds] of workshop.took) {
    process.stdout.write(`${seconds.toFixed(0).padStart(6)} s  ${name}\n`);
  }
  process.stdout.write('\n');
  for (const name of artefacts(workshop.options.out)) {
    process.stdout.write(`${mib(statSync(workshop.file(name)).size).padStart(11)}  ${name}\n`);
  }
  for (const what of workshop.leftOut) process.stdout.write(`\nLEFT OUT: ${what}\n`);
}

function mib(bytes: number): string {
  return `${(bytes / 1048576).toFixed(1)} MiB`;
}

if (values.help) process.stdout.write(usage);
else {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`release: ${describeError(error)}\n`);
    process.exitCode = 1;
  }
}
