import { z } from 'zod';

/** Names of feeds, sources and cameras, used in URLs, file names and MQTT topics. */
export const slugSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,62}$/,
    'lower-case letters, digits, - and _, at most 63, no - or _ at the start',
  );

/** Id of an appliance, as another appliance gives it. */
export const deviceIdSchema = z
  .string()
  .regex(/^[\x20-\x7e]{1,64}$/, 'an id of 1 to 64 printable ASCII characters');

/** Text of another machine, for people: one line without control characters, cut to a length that people read. */
export function textOf(maxLength: number) {
  return z.string().transform((text) =>
    text
      .slice(0, 4 * maxLength)
      .replace(/[\p{C}\u2028\u2029]+/gu, ' ')
      .slice(0, maxLength),
  );
}

/** RFC 3339 in UTC, with milliseconds. */
export const instantSchema = z.iso.datetime({ precision: 3 });

/**
 * What makes a feed: a source of a machine by its kind in the settings, or (`whep`, `mjpeg`) another server that a hub
 * pulls it from. A camera of a newer version may have kinds that this one does not know.
 */
export const sourceKindSchema = z.string().regex(/^[a-z0-9-]{1,32}$/, 'the name of a kind of source');

/** What an appliance is: the hub, or a camera. */
export const roleSchema = z.enum(['hub', 'camera']);
