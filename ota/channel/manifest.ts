import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { OtaError } from '../errors.ts';
import { isVersion } from '../version.ts';
import { openEnvelope } from './envelope.ts';

const versionSchema = z.string().refine(isVersion, 'a semantic version');

/** One release in a channel. */
export const releaseSchema = z.object({
  version: versionSchema,
  /** Boards it is for, as in RAUC's `compatible`. */
  compatible: z.string().min(1).max(100),
  /** Oldest version that may go straight to this one; null: any. */
  minimumVersion: versionSchema.nullable().default(null),
  /** Absolute, or relative to the manifest. */
  url: z.string().min(1).max(2000),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int().positive(),
  notes: z.string().max(20_000).default(''),
  /** Share of the machines that install it by themselves, in percent. */
  rolloutPercent: z.number().min(0).max(100).default(100),
});

/** A channel's manifest. */
export const channelSchema = z.object({
  schema: z.literal(1),
  channel: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  /** Grows with every edition; a machine never accepts a smaller one, whatever its clock says. */
  sequence: z.int().nonnegative(),
  releases: z.array(releaseSchema).max(200),
});

/** See {@link releaseSchema}. */
export type Release = z.infer<typeof releaseSchema>;
/** See {@link channelSchema}. */
export type Channel = z.infer<typeof channelSchema>;

/**
 * Reads a channel file (see `envelope.ts`) and makes its addresses absolute.
 * @param lastSequence greatest sequence seen of this channel so far, null if there is none
 * @throws {OtaError} `CHANNEL_INVALID`, `CHANNEL_SIGNATURE`, `CHANNEL_REPLAYED`
 */
export function readChannel(
  text: string,
  expected: { name: string; keys: readonly KeyObject[]; baseUrl: string; lastSequence: number | null },
): Channel {
  const payload = openEnvelope(text, expected.keys);
  const channel = parseChannel(payload.toString('utf8'));
  if (channel.channel !== expected.name) {
    throw new OtaError('CHANNEL_INVALID', `this is channel ${channel.channel}, not ${expected.name}`);
  }
  if (expected.lastSequence !== null && channel.sequence < expected.lastSequence) {
    throw new OtaError(
      'CHANNEL_REPLAYED',
      `edition ${channel.sequence} of the channel is older than ${expected.lastSequence}, seen before`,
    );
  }
  const releases = channel.releases.map((release) => ({
    ...release,
    url: absolute(release.url, expected.baseUrl),
  }));
  return { ...channel, releases };
}

/** @throws {OtaError} `CHANNEL_INVALID` */
export function parseChannel(json: string): Channel {
  try {
    return channelSchema.parse(JSON.parse(json));
  } catch (cause) {
    throw new OtaError('CHANNEL_INVALID', 'the channel manifest has another form', { cause });
  }
}

function absolute(url: string, base: string): string {
  let result: URL;
  try {
    result = new URL(url, base);
  } catch (cause) {
    throw new OtaError('CHANNEL_INVALID', `not an address: ${url.slice(0, 200)}`, { cause });
  }
  if (result.protocol !== 'http:' && result.protocol !== 'https:') {
    throw new OtaError('CHANNEL_INVALID', `not a web address: ${url.slice(0, 200)}`);
  }
  return result.href;
}
