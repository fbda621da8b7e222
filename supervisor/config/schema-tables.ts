import { z } from 'zod';
import { field, filePath, table, urlOf } from '../../common/setting-field.ts';

/** `[mqtt]`. */
export const mqttTable = table(
  {
    url: field(
      z
        .union(
          [z.literal('auto'), urlOf('mqtt', 'mqtts', 'ws', 'wss')],
          'auto, or a URL that starts with mqtt:// or mqtts://',
        )
        .optional(),
      'URL of the broker, or `auto` to find it by mDNS. Without this setting there is no MQTT.',
      ['mqtt'],
    ),
    username: field(z.string().min(1).max(255).optional(), 'User name.', ['mqtt']),
    password_file: field(filePath().optional(), 'File with the password.', ['mqtt']),
    ca_file: field(filePath().optional(), 'Certificate authority of the broker (PEM).', ['mqtt']),
    cert_file: field(filePath().optional(), 'Client certificate (PEM).', ['mqtt']),
    key_file: field(filePath().optional(), 'Key of the client certificate (PEM).', ['mqtt']),
    protocol: field(
      z.enum(['auto', '5', '3.1.1']).default('auto'),
      'Protocol version. `auto`: 5, or 3.1.1 if the broker does not accept 5.',
      ['mqtt'],
    ),
    discovery: field(z.boolean().default(true), 'Whether the appliance announces itself to Home Assistant.', [
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
      'Topic on which Home Assistant reports that it has started.',
      ['mqtt'],
    ),
    heartbeat_s: field(
      z.int().min(5).max(3600).default(60),
      'Seconds after which the state is published again, even if nothing changed.',
      ['mqtt'],
    ),
    snapshot_interval_s: field(
      z.int().min(0).max(86_400).default(0),
      'Seconds between two still pictures of each feed. 0: only when the feed comes online, and on request.',
      ['mqtt'],
    ),
  },
  'MQTT and Home Assistant.',
);

/** `[update]`. */
export const updateTable = table(
  {
    channel: field(
      z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,31}$/, 'a channel name such as stable or beta')
        .default('stable'),
      'The channel that updates come from.',
      [],
    ),
    install: field(
      z.enum(['ask', 'idle', 'never']).default('ask'),
      'When updates are installed. `ask`: on request; `idle`: by itself while nothing records; `never`: not at all.',
      [],
    ),
    url: field(
      urlOf('http', 'https').optional(),
      'Folder of the signed channel manifests. Default: the built-in one.',
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
      'Hours between two checks of the channel.',
      [],
    ),
    allow_downgrade: field(z.boolean().default(false), 'Whether an older version may be installed.', []),
    conducted: field(
      z.boolean().default(true),
      'On a hub: with `install = "idle"`, the hub updates its cameras one at a time, then itself. On a camera: the hub may update it, and it installs nothing by itself while it belongs to a hub.',
      [],
    ),
    hawkbit_url: field(
      urlOf('http', 'https').optional(),
      'Base URL of an Eclipse hawkBit server, including the tenant. That server then manages the updates.',
      [],
    ),
    hawkbit_token_file: field(filePath().optional(), 'File with the hawkBit target or gateway token.', []),
  },
  'Updates.',
);

/** `[network]`. */
export const networkTable = table(
  {
    access_point: field(
      z.enum(['auto', 'never']).default('auto'),
      '`auto`: without a network, the appliance opens a Wi-Fi access point with a setup page.',
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
          'text of at most 32 bytes; letters outside ASCII take more than one',
        )
        .optional(),
      'Name of the access point. Default: the name of the appliance.',
      [],
    ),
  },
  'The network.',
);

/** `[http]`. */
export const httpTable = table(
  {
    listen: field(
      z
        .array(z.union([z.ipv4(), z.ipv6()], 'an IP address'))
        .min(1)
        .max(16)
        .default(['::']),
      'Addresses on which the page and the API listen. `::` means every IPv6 and IPv4 address.',
      ['page'],
    ),
    port: field(port().default(80), 'Port of HTTP.', ['page', 'mdns']),
    tls: field(
      z.boolean().default(true),
      'Whether to serve HTTPS. Without certificate files, the appliance uses a self-signed certificate that it makes at first boot.',
      ['page', 'mdns'],
    ),
    tls_port: field(port().default(443), 'Port of HTTPS.', ['page', 'mdns']),
    cert_file: field(filePath().optional(), 'Your own certificate chain (PEM).', ['page', 'mdns']),
    key_file: field(filePath().optional(), 'Key of that certificate (PEM).', ['page', 'mdns']),
    auth: field(
      z.enum(['auto', 'required']).default('auto'),
      'Whether requests need a token. `auto`: yes, unless all addresses in `listen` are loopback addresses.',
      ['page'],
    ),
  },
  'The page and the API.',
);

/** `[media]`. */
export const mediaTable = table(
  {
    udp_port: field(port().default(8189), 'The UDP port that all WebRTC sessions share.', ['media']),
    tcp_port: field(
      z.union([z.literal('auto'), z.literal('off'), port()], 'auto, off, or a port').default('auto'),
      'The TCP port for peers whose network blocks UDP. `auto`: the number of `udp_port`. Needs the native datapath.',
      ['media'],
    ),
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
      'Addresses of this machine to offer to WebRTC peers. `auto`: all its IPv4 addresses, then all its IPv6 addresses but link-local ones (`fe80::`), followed as they change, and `127.0.0.1` last.',
      ['media'],
    ),
    max_publisher_kbps: field(
      z.int().min(500).max(200_000).default(20_000),
      'Highest bit rate that a publisher may send.',
      ['media'],
    ),
  },
  'WebRTC.',
);

function port() {
  return z.int().min(1).max(65_535);
}
