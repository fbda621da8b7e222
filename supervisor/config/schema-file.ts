import { z } from 'zod';
import { bcmGpio, field, filePath, table, urlOf } from '../../common/setting-field.ts';
import { outputSchema } from './schema-output.ts';
import { remoteSchema, sha256Fingerprint, sourceSchema } from './schema-source.ts';
import { httpTable, mediaTable, mqttTable, networkTable, updateTable } from './schema-tables.ts';

/** The format of rushlight.toml that this program writes about. migrate.ts handles older and newer ones. */
export const configVersion = 1;

/** The level of a light applies the next time it is switched. */
const lightLine = {
  gpio: field(bcmGpio().optional(), 'BCM number of the line; without it there is none.', []),
  active: field(
    z.enum(['low', 'high']).default('low'),
    'Level that means "lit". `low`: connected to ground.',
    [],
  ),
};

const line = {
  gpio: field(bcmGpio().optional(), 'BCM number of the line. Leave it out if there is none.', ['gpio']),
  active: field(
    z.enum(['low', 'high']).default('low'),
    'The level that means "pressed" or "lit". `low`: connected to ground.',
    ['gpio'],
  ),
};

/**
 * Everything `rushlight.toml` may contain: the one truth for types, defaults, docs/reference/config.md, the JSON Schema and what a change
 * restarts. Keys are snake_case here and in the file, camelCase in {@link Config}.
 */
export const fileSchema = z.strictObject({
  config_version: field(
    z.int().min(1).max(9999).default(configVersion),
    'Format of this file. From a newer format, the appliance uses the keys it knows.',
  ),
  role: field(
    z.enum(['auto', 'hub', 'camera']).default('auto'),
    'What this appliance is. `auto`: the jumper decides, and an open jumper means camera.',
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
    {
      gpio: field(
        bcmGpio().default(17),
        'BCM number of the line. If the jumper connects it to ground, the appliance is a hub.',
        ['gpio'],
      ),
    },
    'The jumper that decides the role when `role = "auto"`.',
  ),
  camera: table(
    {
      hub: field(
        z
          .union(
            [z.literal('auto'), urlOf('http', 'https')],
            'auto, or a URL that starts with http:// or https://',
          )
          .default('auto'),
        'The hub that a camera publishes to: a URL, or `auto` to find it by mDNS.',
        ['camera'],
      ),
      token_file: field(
        filePath().optional(),
        'File with the key for the hub, if you do not adopt the camera on the page.',
        ['camera'],
      ),
      tls_fingerprint: field(
        sha256Fingerprint().optional(),
        "SHA-256 of the hub's certificate. Default: the one that adoption pinned.",
        ['camera'],
      ),
    },
    'Settings of the camera role.',
  ),
  source: field(
    z.array(sourceSchema).max(16).default([]),
    'One table for each thing that makes video. If there is none, `devices.adopt` decides what happens to each camera found.',
    ['pipelines'],
  ),
  remote: field(
    z.array(remoteSchema).max(32).default([]),
    'Feeds from other servers that the hub shows next to its own. They are not encoded again.',
    ['remotes'],
  ),
  output: field(
    z.array(outputSchema).max(16).default([]),
    'Feeds to send on to other servers by WHIP: another hub, MediaMTX, a cloud. They are not encoded again.',
    ['outputs'],
  ),
  devices: table(
    {
      adopt: field(
        z.enum(['ask', 'auto', 'never']).default('auto'),
        'What happens to a plugged-in camera that has no `[[source]]`. `auto`: it becomes a feed; `ask`: the page offers it; `never`: nothing.',
        ['pipelines'],
      ),
    },
    'Cameras plugged into this appliance.',
  ),
  masters: table(
    {
      codec: field(
        z.enum(['ffv1', 'prores', 'off']).default('ffv1'),
        'Codec of the masters; `off` records none. A change takes effect with the next take.',
        [],
      ),
      strategy: field(
        z.enum(['auto', 'direct', 'spool']).default('auto'),
        '`direct` compresses while recording, `spool` right after. `auto` measures this board and uses `direct` if it is fast enough.',
        [],
      ),
      path: field(
        z.union([z.literal('auto'), filePath()], 'auto, or a folder').default('auto'),
        'Folder of the takes. `auto`: the SSD if there is one, otherwise the data partition.',
        [],
      ),
      reserve_mb: field(
        z.int().min(64).max(1_000_000).default(1024),
        'Megabytes that recording leaves free. A take stops cleanly when it reaches this limit.',
        [],
      ),
    },
    'The lossless recordings.',
  ),
  record_button: table(line, 'A button that starts and stops takes.'),
  tally_light: table(lightLine, 'A light that is on while this appliance records.'),
  status_light: table(line, 'A light whose pattern shows the state.'),
  mqtt: mqttTable,
  update: updateTable,
  gateway: table(
    {
      upstream: field(
        urlOf('http', 'https').optional(),
        'An existing backend behind this hub. The hub passes on every request that is not its own.',
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
