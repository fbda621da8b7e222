import { z } from 'zod';
import { bcmGpio, field, filePath, table, urlOf } from '../../common/setting-field.ts';
import { remoteSchema, sha256Fingerprint, sourceSchema } from './schema-source.ts';
import { httpTable, mediaTable, mqttTable, networkTable, updateTable } from './schema-tables.ts';

/** Format of rushlight.toml this program writes about; see migrate.ts for older and newer ones. */
export const configVersion = 1;

/** The level of a light counts when it is switched the next time. */
const lightLine = {
  gpio: field(bcmGpio().optional(), 'BCM number of the line; without it there is none.', []),
  active: field(
    z.enum(['low', 'high']).default('low'),
    'Level that means "lit". `low`: connected to ground.',
    [],
  ),
};

const line = {
  gpio: field(bcmGpio().optional(), 'BCM number of the line; without it there is none.', ['gpio']),
  active: field(
    z.enum(['low', 'high']).default('low'),
    'Level that means "pressed" or "lit". `low`: connected to ground.',
    ['gpio'],
  ),
};

/**
 * Everything `rushlight.toml` may say: the one truth for types, defaults, docs/config.md, the JSON Schema and for
 * what a change restarts. Keys are snake_case here and in the file, camelCase in {@link Config}.
 */
export const fileSchema = z.strictObject({
  config_version: field(
    z.int().min(1).max(9999).default(configVersion),
    'Format of this file. A file of a newer format is read as far as it is understood.',
  ),
  role: field(
    z.enum(['auto', 'hub', 'camera']).default('auto'),
    'What this appliance is. `auto`: the jumper decides; an open jumper means camera.',
    ['hub', 'camera', 'page', 'mdns', 'gpio'],
  ),
  name: field(
    z
      .string()
      .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, '1 to 63 lower-case letters, digits and inner hyphens')
      .optional(),
    'Host name and mDNS name. Default: `rushlight-` and the last 4 characters of the serial number.',
    ['hub', 'camera', 'page', 'mdns', 'mqtt'],
  ),
  jumper: table(
    { gpio: field(bcmGpio().default(17), 'BCM number; closed to ground means hub.', ['gpio']) },
    'The jumper that `role = "auto"` reads.',
  ),
  camera: table(
    {
      hub: field(
        z
          .union(
            [z.literal('auto'), urlOf('http', 'https')],
            'auto, or an URL that starts with http:// or https://',
          )
          .default('auto'),
        'The hub a camera publishes to: `auto` finds it by mDNS, or its URL.',
        ['camera'],
      ),
      token_file: field(
        filePath().optional(),
        'File with the key for the hub, where the camera is not adopted by the page.',
        ['camera'],
      ),
      tls_fingerprint: field(
        sha256Fingerprint().optional(),
        "SHA-256 of the hub's certificate. Default: what adoption pinned.",
        ['camera'],
      ),
    },
    'What concerns only the camera role.',
  ),
  source: field(
    z.array(sourceSchema).max(16).default([]),
    'One table for each thing that makes video. Without any, every camera found is used as `devices.adopt` says.',
    ['pipelines'],
  ),
  remote: field(
    z.array(remoteSchema).max(32).default([]),
    'Feeds made elsewhere that the hub shows beside its own, copied as they are.',
    ['remotes'],
  ),
  devices: table(
    {
      adopt: field(
        z.enum(['ask', 'auto', 'never']).default('auto'),
        'What happens with a camera that is plugged in and has no `[[source]]`: it becomes a feed, is offered on the page, or is left alone.',
        ['pipelines'],
      ),
    },
    'Cameras plugged into this appliance.',
  ),
  masters: table(
    {
      codec: field(
        z.enum(['ffv1', 'prores', 'off']).default('ffv1'),
        'Codec of the masters; `off` records none. Takes effect with the next take.',
        [],
      ),
      strategy: field(
        z.enum(['auto', 'direct', 'spool']).default('auto'),
        '`direct` compresses while capturing, `spool` right after, `auto` does what this board was measured to sustain.',
        [],
      ),
      path: field(
        z.union([z.literal('auto'), filePath()], 'auto, or a folder').default('auto'),
        'Folder of the takes. `auto`: the SSD where there is one, else the data partition.',
        [],
      ),
      reserve_mb: field(
        z.int().min(64).max(1_000_000).default(1024),
        'Space in megabytes that recording leaves free; a take stops cleanly before.',
        [],
      ),
    },
    'The lossless recordings.',
  ),
  record_button: table(line, 'A button that starts and stops takes.'),
  tally_light: table(lightLine, 'A light that is lit while this appliance records.'),
  status_light: table(line, 'A light whose pattern tells the state.'),
  mqtt: mqttTable,
  update: updateTable,
  gateway: table(
    {
      upstream: field(
        urlOf('http', 'https').optional(),
        'An existing backend behind this hub: requests that are not ours pass through to it.',
        ['page'],
      ),
    },
    'Gateway mode of the hub.',
  ),
  network: networkTable,
  http: httpTable,
  media: mediaTable,
  log: table(
    {
      level: field(
        z.enum(['error', 'warn', 'info', 'debug', 'trace']).default('info'),
        'How much is logged.',
        [],
      ),
    },
    'Logging.',
  ),
});
