import { z } from 'zod';

/**
 * What a changed setting restarts: `hub` the links of a hub's cameras, `camera` the link to the hub, `page` page and API,
 * `mdns` the announcement, `mqtt` the link to the broker, `media` the configuration of WebRTC, `gpio` the watcher of the
 * header's lines, `pipelines` the pipeline of that source, `remotes` that feed from elsewhere, `outputs` that
 * output. Everything else keeps running.
 */
const restartScopes = [
  'hub',
  'camera',
  'page',
  'mdns',
  'mqtt',
  'media',
  'gpio',
  'pipelines',
  'remotes',
  'outputs',
] as const;

/** See {@link restartScopes}. */
export type RestartScope = (typeof restartScopes)[number];

declare module 'zod' {
  interface GlobalMeta {
    /** What a change of this field restarts. Empty or absent: nothing; the new value counts from its next use on. */
    restarts?: readonly RestartScope[];
    /** The value is never shown nor logged. */
    secret?: boolean;
  }
}

/** Attaches the description (shown in docs/reference/config.md) and what a change restarts. Call it last on a field. */
export function field<T extends z.ZodType>(
  schema: T,
  description: string,
  restarts: readonly RestartScope[] = [],
): T {
  return schema.meta({ description, restarts });
}

/** The same for a value that is never shown. */
export function secretField<T extends z.ZodType>(
  schema: T,
  description: string,
  restarts: readonly RestartScope[] = [],
): T {
  return schema.meta({ description, restarts, secret: true });
}

/** A table whose absence means "all defaults" and whose unknown keys are errors. */
export function table<S extends z.ZodRawShape>(shape: S, description: string) {
  return z
    .strictObject(shape)
    .prefault({} as never)
    .meta({ description });
}

/** BCM number of a line on the 40-pin header. */
export function bcmGpio() {
  return z.int('a BCM number from 0 to 27').min(0).max(27);
}

/** File-name safe id that is also legal in URLs, MQTT topics and mDNS labels. */
export function slug() {
  return z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, '1 to 32 lower-case letters, digits and inner hyphens');
}

/** A path on the appliance; a relative one starts at the folder of rushlight.toml. */
export function filePath() {
  return z.string().min(1, 'a path').max(4096, 'a path');
}

/** A password in the settings themselves. One with spaces belongs into a file; so no password is what is shown in its place. */
export function passwordText() {
  return z.string().regex(/^\S{1,255}$/, 'a password without spaces; password_file takes any');
}

/** An absolute URL with one of the given schemes (without colon). Secrets have fields of their own. */
export function urlOf(...schemes: readonly string[]) {
  const starts = schemes.map((scheme) => `${scheme}://`).join(' or ');
  const expected = `a URL that starts with ${starts}, without user and password`;
  return z.string().refine((text) => isUrlOf(text, schemes), expected);
}

function isUrlOf(text: string, schemes: readonly string[]): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return false;
  return schemes.includes(url.protocol.slice(0, -1)) && url.hostname !== '';
}
