import { z } from 'zod';
import { field, filePath, table, urlOf } from '../../common/setting-field.ts';

export const mqttTable = table(
  {
    url: field(
      z
        .union(
          [z.literal('auto'), urlOf('mqtt', 'mqtts', 'ws', 'wss')],
          'auto, or an URL that starts with mqtt:// or mqtts://',
        )
        .optional(),
      'The broker; `auto` finds it by mDNS. Without it there is no MQTT.',
      ['mqtt'],
    ),
    username: field(z.string().min(1).max(255).optional(), 'User name.', ['mqtt']),
    password_file: field(filePath().optional(), 'File with the password.', ['mqtt']),
    ca_file: field(filePath().optional(), 'Certificate authority of the broker (PEM).', ['mqtt']),
    cert_file: field(filePath().optional(), 'Client certificate (PEM).', ['mqtt']),
    key_file: field(filePath().optional(), 'Key of the client certificate (PEM).', ['mqtt']),
    protocol: field(
      z.enum(['auto', '5', '3.1.1']).default('auto'),
      'Protocol version. `auto`: 5, and 3.1.1 where the broker insists.',
      ['mqtt'],
    ),
    discovery: field(z.boolean().default(true), 'Whether Home Assistant is told about this appliance.', [
      'mqtt',
    ]),
    discovery_prefix: field(
      z
        .string()
        .regex(/^[^#+/\s]+(?:\/[^#+/\s]+)*$/, 'a topic without wildcards and spaces')
        .default('homeassistant'),
      'Prefix of the discovery topics.',
      ['mqtt'],
    ),
    birth_topic: field(
      z
        .string()
        .regex(/^[^#+\s]+$/, 'a topic without wildcards and spaces')
        .default('homeassistant/status'),
      'Topic on which Home Assistant says that it has started.',
      ['mqtt'],
    ),
    heartbeat_s: field(
      z.int().min(5).max(3600).default(60),
      'The state is published at least this often, in seconds, even if nothing changed.',
      ['mqtt'],
    ),
    snapshot_interval_s: field(
      z.int().min(0).max(86_400).default(0),
      'Seconds between two still pictures of each feed; 0: only when it comes online and on request.',
      ['mqtt'],
    ),
  },
  'MQTT and Home Assistant.',
);

export const updateTable = table(
  {
    channel: field(
      z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,31}$/, 'a channel name such as stable or beta')
        .default('stable'),
      'Channel that updates come from.',
      [],
    ),
    install: field(
      z.enum(['ask', 'idle', 'never']).default('ask'),
      'When an update is installed: on request, when nothing records, or never.',
      [],
    ),
    url: field(
      urlOf('http', 'https').optional(),
      'Folder of the signed channel manifests; default: the built-in one.',
      [],
    ),
    window: field(
      z
        .string()
        .regex(/^(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time span such as 02:00-05:00')
        .optional(),
      'Local time span in which `install = "idle"` may install. Default: any time.',
      [],
    ),
    check_interval_hours: field(
      z.int().min(1).max(720).default(24),
      'Hours between two looks at the channel.',
      [],
    ),
    allow_downgrade: field(z.boolean().default(false), 'Whether an older version may be installed.', []),
    conducted: field(
      z.boolean().default(true),
      'On a hub: with `install = "idle"` its cameras are updated before it, one at a time. On a camera: its hub may update it, and while it belongs to a hub it installs nothing by itself.',
      [],
    ),
    hawkbit_url: field(
      urlOf('http', 'https').optional(),
      'Base URL of an Eclipse hawkBit server with its tenant; it then conducts the updates.',
      [],
    ),
    hawkbit_token_file: field(filePath().optional(), 'File with the hawkBit target or gateway token.', []),
  },
  'Updates.',
);

export const networkTable = table(
  {
    access_point: field(
      z.enum(['auto', 'never']).default('auto'),
      '`auto`: without any network the appliance opens a Wi-Fi access point with a set-up page.',
      [],
    ),
    access_point_after_s: field(
      z.int().min(30).max(3600).default(120),
      'Seconds without a network after which the access point opens.',
      [],
    ),
    access_point_ssid: field(
      z
        .string()
        .min(1)
        .max(32)
        .refine(
          (text) => Buffer.byteLength(text) <= 32,
          'text of at most 32 bytes: letters beyond ASCII have several',
        )
        .optional(),
      'Name of the access point; default: the name of the appliance.',
      [],
    ),
  },
  'Network.',
);

export const httpTable = table(
  {
    listen: field(
      z
        .array(z.union([z.ipv4(), z.ipv6()], 'an IP address'))
        .min(1)
        .max(16)
        .default(['::']),
      'Addresses the page and the API listen on. `::` means every IPv6 and IPv4 address.',
      ['page'],
    ),
    port: field(port().default(80), 'Port of HTTP.', ['page', 'mdns']),
    tls: field(
      z.boolean().default(true),
      'Whether HTTPS is served; without certificate files, with a self-signed certificate made at first boot.',
      ['page', 'mdns'],
    ),
    tls_port: field(port().default(443), 'Port of HTTPS.', ['page', 'mdns']),
    cert_file: field(filePath().optional(), 'Certificate chain of your own (PEM).', ['page', 'mdns']),
    key_file: field(filePath().optional(), 'Key of your own certificate (PEM).', ['page', 'mdns']),
    auth: field(
      z.enum(['auto', 'required']).default('auto'),
      'Whether requests need a token. `auto`: yes, unless `listen` names nothing but loopback addresses.',
      ['page'],
    ),
  },
  'The page and the API.',
);

export const mediaTable = table(
  {
    udp_port: field(port().default(8189), 'The one UDP port of all WebRTC sessions.', ['media']),
    addresses: field(
      z
        .union(
          [
            z.literal('auto'),
            z
              .array(z.union([z.ipv4(), z.ipv6()], 'an IP address'))
              .min(1)
              .max(32),
          ],
          'auto, or a list of IP addresses',
        )
        .default('auto'),
      'Own addresses offered to WebRTC peers. `auto`: all IPv4 addresses of this machine.',
      ['media'],
    ),
    max_publisher_kbps: field(
      z.int().min(500).max(200_000).default(20_000),
      'Bit rate a publisher is allowed.',
      ['media'],
    ),
  },
  'WebRTC.',
);

function port() {
  return z.int().min(1).max(65_535);
}
