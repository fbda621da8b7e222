import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { OtaError } from '../errors.ts';
import { readFileOrNull, replaceFile } from '../store.ts';
import { openEnvelope, publicKeysOf, sealEnvelope } from './envelope.ts';
import { type Channel, channelSchema, parseChannel, type Release } from './manifest.ts';

/** Adds a release to a channel (replacing one of the same version and board) and increases its sequence number. */
function withRelease(channel: Channel, release: Release): Channel {
  const others = channel.releases.filter(
    ({ version, compatible }) => version !== release.version || compatible !== release.compatible,
  );
  return channelSchema.parse({
    ...channel,
    sequence: channel.sequence + 1,
    releases: [release, ...others],
  });
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Adds a bundle to `<folder>/<channel>.json`, signed with `<keys>/channel.key`. */
export async function publish(options: {
  folder: string;
  channel: string;
  keys: string;
  bundle: string;
  version: string;
  compatible: string;
  minimumVersion: string | null;
  notes: string;
  rolloutPercent: number;
  url: string | null;
}): Promise<Channel> {
  const file = join(options.folder, `${options.channel}.json`);
  const before = await readFileOrNull(file);
  const keys = publicKeysOf(await readFile(join(options.keys, 'channel.pub'), 'utf8'));
  const channel: Channel =
    before === null
      ? { schema: 1, channel: options.channel, sequence: 0, releases: [] }
      : parseChannel(openEnvelope(before, keys).toString('utf8'));
  const next = withRelease(channel, {
    version: options.version,
    compatible: options.compatible,
    minimumVersion: options.minimumVersion,
    url: options.url ?? basename(options.bundle),
    sha256: await sha256Of(options.bundle),
    sizeBytes: (await stat(options.bundle)).size,
    notes: options.notes,
    rolloutPercent: options.rolloutPercent,
  });
  const key = await readFile(join(options.keys, 'channel.key'), 'utf8');
  await replaceFile(file, sealEnvelope(Buffer.from(JSON.stringify(next, null, 2)), key));
  return next;
}

/** `node ota/channel/publish.ts --folder … --channel stable --keys … --bundle … --version … --compatible …` */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      folder: { type: 'string' },
      channel: { type: 'string', default: 'stable' },
      keys: { type: 'string' },
      bundle: { type: 'string' },
      version: { type: 'string' },
      compatible: { type: 'string' },
      minimum: { type: 'string' },
      notes: { type: 'string' },
      percent: { type: 'string', default: '100' },
      url: { type: 'string' },
    },
  });
  const { folder, keys, bundle, version, compatible } = values;
  if (!folder || !keys || !bundle || !version || !compatible) {
    throw new OtaError('ARGUMENTS_INVALID', 'needed: --folder --keys --bundle --version --compatible');
  }
  const channel = await publish({
    folder,
    keys,
    bundle,
    version,
    compatible,
    channel: values.channel,
    minimumVersion: values.minimum ?? null,
    notes: values.notes === undefined ? '' : await readFile(values.notes, 'utf8'),
    rolloutPercent: Number(values.percent),
    url: values.url ?? null,
  });
  process.stdout.write(`${channel.channel} ${channel.sequence}: ${version}\n`);
}

if (import.meta.main) await main();
