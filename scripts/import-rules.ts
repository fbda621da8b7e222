/**
 * Who may import whom: the one list that the rule tool, its test and ARCHITECTURE.md use. A room may import itself and the
 * rooms named here, and nothing else; type imports count.
 */
const ground = [
  'supervisor/platform',
  'supervisor/process',
  'supervisor/config',
  'supervisor/contract',
  'common',
];
const base = ['supervisor/discovery', 'supervisor/system', 'supervisor/roles', ...ground];
const subjects = ['supervisor/takes', 'supervisor/live', 'supervisor/sources', 'supervisor/status', ...base];
const sides = [
  'supervisor/hub',
  'supervisor/camera',
  'supervisor/updates',
  'supervisor/panel',
  'supervisor/telemetry',
  'supervisor/api',
];

/**
 * A kind of source is one folder: its settings, what it needs of the machine, its pipeline. The settings' schema and other
 * users import only its face; it imports no room of the supervisor.
 */
const kinds = 'media/capture/kinds';

/**
 * Rooms with a face → the files that other rooms may import; the rest of the room is its own. Of a room that is not listed, every
 * file is public: each is a tool with one concept, and nothing runs in them by itself.
 */
export const faces: Readonly<Record<string, readonly string[]>> = {
  'supervisor/contract': ['index.ts', 'ports.ts', 'offline-feed.ts', 'api-page.ts'],
  'supervisor/roles': ['index.ts'],
  'supervisor/discovery': ['index.ts'],
  'supervisor/sources': ['index.ts'],
  'supervisor/live': ['index.ts', 'self-view.ts'],
  'supervisor/takes': ['index.ts'],
  'supervisor/status': ['index.ts'],
  'supervisor/hub': ['index.ts'],
  'supervisor/camera': ['index.ts'],
  'supervisor/updates': ['index.ts'],
  'supervisor/panel': ['index.ts'],
  'supervisor/telemetry': ['index.ts', 'mqtt.ts'],
  'supervisor/api': ['index.ts'],
  media: ['index.ts'],
  [kinds]: ['index.ts'],
  ota: ['index.ts'],
};

/** Room → rooms that it may import: through their faces, where they have one. */
export const rules: Readonly<Record<string, readonly string[]>> = {
  common: [],
  'supervisor/contract': ['common'],
  'supervisor/config': ['supervisor/contract', 'common', kinds],
  'supervisor/process': ['supervisor/contract', 'common'],
  'supervisor/platform': ['supervisor/process', 'supervisor/config', 'supervisor/contract', 'common', kinds],
  'supervisor/roles': [...ground, kinds],
  'supervisor/discovery': ground,
  'supervisor/system': ['supervisor/roles', 'supervisor/discovery', ...ground],
  'supervisor/sources': [...base, 'media'],
  'supervisor/live': ['supervisor/sources', ...base, 'media'],
  'supervisor/takes': ['supervisor/sources', ...base, 'media'],
  'supervisor/status': ['supervisor/takes', 'supervisor/live', 'supervisor/sources', ...base, 'media'],
  'supervisor/hub': [...subjects, 'media'],
  'supervisor/camera': [...subjects, 'media'],
  'supervisor/updates': ['supervisor/hub', ...subjects, 'media', 'ota'],
  'supervisor/panel': [...subjects, 'media'],
  'supervisor/telemetry': [...subjects],
  'supervisor/api': ['supervisor/system', ...ground],
  'supervisor/cli': ground,
  'supervisor/web': ['supervisor/contract', 'common'],
  'supervisor/app': [...sides, ...subjects, 'media', 'ota'],
  'supervisor/appliance.ts': ['supervisor/app', ...sides, ...subjects, 'media', 'ota'],
  'supervisor/main.ts': ['supervisor/appliance.ts', 'supervisor/app', ...base],
  'media/capture/kinds': ['media/capture', 'common'],
  media: ['common'],
  ota: ['common'],
  'hil-tests': ['supervisor/contract', 'common'],
  'image/provision': ['common', 'supervisor/config'],
  release: ['supervisor/cli', 'common'],
};

/** npm packages that belong to one subject → rooms that may import them. */
export const packagesOnlyFor: Readonly<Record<string, readonly string[]>> = {
  koa: ['supervisor/api'],
  mqtt: ['supervisor/telemetry'],
  'bonjour-service': ['supervisor/discovery', 'supervisor/telemetry'],
  'smol-toml': ['supervisor/config', 'image/provision'],
  werift: ['media', 'supervisor/live'],
};
