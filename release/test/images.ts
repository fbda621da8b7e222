import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { must, Report } from './report.ts';
import { run } from './run.ts';

/**
 * `node release/test/images.ts FOLDER`: each disk image can be written by its map of blocks, and what the channel and the list for
 * Raspberry Pi Imager say of files is true.
 */
const [folder] = parseArgs({ allowPositionals: true }).positionals;
if (folder === undefined) throw new Error('needed: the folder of a release, dist');
const images = readdirSync(folder).filter((name) => name.endsWith('.img.xz'));
const report = new Report();

async function sha256Of(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of stream) hash.update(part);
  return hash.digest('hex');
}
const sumOf = (file: string) => sha256Of(createReadStream(file));

/** Sum and size of what a compressed image unpacks to. */
async function unpacked(file: string): Promise<{ sha256: string; bytes: number }> {
  const xz = spawn('xz', ['--decompress', '--stdout', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let bytes = 0;
  xz.stdout.on('data', (part: Buffer) => (bytes += part.length));
  return { sha256: await sha256Of(xz.stdout), bytes };
}

const work = mkdtempSync('/var/tmp/rushlight-images-test.');
try {
  for (const name of images) {
    await report.check(`${name} is written by its map, which has a sum for every range`, async () => {
      const disk = join(work, 'disk');
      const map = join(folder, name.replace(/\.xz$/, '.bmap'));
      run('bmaptool', ['--quiet', 'copy', '--bmap', map, join(folder, name), disk]);
      const whole = await unpacked(join(folder, name));
      must(
        statSync(disk).size === whole.bytes,
        `${statSync(disk).size} bytes were written of ${whole.bytes}`,
      );
      must((await sumOf(disk)) === whole.sha256, 'the disk differs from the image');
      rmSync(disk);
    });
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

const channel = join(folder, 'channel', 'stable.json');
if (existsSync(channel)) {
  await report.check('the channel offers the bundles beside it', async () => {
    const { payload } = JSON.parse(readFileSync(channel, 'utf8'));
    const { releases } = JSON.parse(Buffer.from(payload, 'base64').toString());
    for (const bundle of readdirSync(join(folder, 'channel')).filter((name) => name.endsWith('.raucb'))) {
      const file = join(folder, 'channel', bundle);
      const offered = releases.find(({ url }: { url: string }) => url === bundle);
      must(offered !== undefined, `${bundle} is not offered`);
      must(offered.sizeBytes === statSync(file).size, `${bundle} has another size`);
      must(offered.sha256 === (await sumOf(file)), `${bundle} has another sum`);
    }
  });
}

const list = join(folder, 'rushlight-imager.json');
if (existsSync(list)) {
  await report.check(
    'the list for Raspberry Pi Imager names files that are there, with their sizes and sums',
    async () => {
      const [entry] = JSON.parse(readFileSync(list, 'utf8')).os_list;
      const beside = (url: string) => join(folder, new URL(url).pathname.split('/').at(-1) ?? '');
      for (const url of [entry.icon, entry.url, entry.bmap_url])
        must(existsSync(beside(url)), `${url} is missing`);
      const image = beside(entry.url);
      const whole = await unpacked(image);
      must(entry.image_download_size === statSync(image).size, 'another size');
      must(entry.image_download_sha256 === (await sumOf(image)), 'another sum');
      must(entry.extract_size === whole.bytes, 'another size unpacked');
      must(entry.extract_sha256 === whole.sha256, 'another sum unpacked');
    },
  );
}
report.end();
