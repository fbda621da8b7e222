import type { Status } from '../contract/index.ts';
import type { LightPattern } from '../platform/light.ts';

/** What one light or one line can show about an appliance. */
export type ApplianceState =
  | 'booting'
  | 'fault'
  | 'recording'
  | 'updating'
  | 'access-point'
  | 'no-network'
  | 'new'
  | 'no-hub'
  | 'ready';

/** The address that an appliance gives itself in its own access point (image/provision/network-settings.ts). */
const accessPointAddress = '10.42.0.1';

/** The most important state, in the order of how urgently a person must act. Pure. */
export function applianceState(status: Status): ApplianceState {
  const { health, recording, update, adoption, hub, device } = status;
  if (health.state === 'failed' || recording.state === 'failed') return 'fault';
  if (recording.state === 'starting' || recording.state === 'recording') return 'recording';
  if (['installing', 'armed', 'trial'].includes(update.state)) return 'updating';
  const addresses = status.host.network.flatMap((network) => network.addresses);
  if (addresses.includes(accessPointAddress)) return 'access-point';
  if (!addresses.some(isReachable)) return 'no-network';
  if (device.role === 'hub') return 'ready';
  if (adoption !== null) return 'new';
  return hub?.state === 'connected' ? 'ready' : 'no-hub';
}

/** Not one that a machine gives itself if no server gave it one. */
function isReachable(address: string): boolean {
  return !(address.startsWith('169.254.') || /^fe[89ab]/i.test(address));
}

/** How a state is shown. */
export interface StateSigns {
  /** In milliseconds; see docs/reference/image.md. Flashes are counted, so no colour is needed. */
  readonly pattern: LightPattern;
  /** What the pattern looks like. */
  readonly looks: string;
  readonly sentence: string;
}

const flashes = (count: 1 | 2 | 3 | 4): LightPattern => {
  const more = Array.from({ length: count - 1 }, () => [250, 150]).flat();
  return [150, ...more, 2000 - 400 * (count - 1) - 150];
};

/** How each state is shown: by the status light and on the screen. */
export const stateSigns: Readonly<Record<ApplianceState, StateSigns>> = {
  // As the kernel blinks the light by itself (its timer trigger) until the supervisor takes over.
  booting: { pattern: [500, 500], looks: 'blinks evenly', sentence: 'It is starting.' },
  'no-network': {
    pattern: flashes(1),
    looks: 'one flash every 2 s',
    sentence: 'There is no network. Plug in a cable, or wait for its own access point.',
  },
  'access-point': {
    pattern: flashes(2),
    looks: 'two flashes every 2 s',
    sentence: 'There is no network. Join the Wi-Fi named like this device to set it up.',
  },
  new: {
    pattern: flashes(3),
    looks: 'three flashes every 2 s',
    sentence: "It is new to its hub. Adopt it on the hub's page.",
  },
  'no-hub': {
    pattern: flashes(4),
    looks: 'four flashes every 2 s',
    sentence: 'Its hub cannot be reached.',
  },
  ready: { pattern: [1000], looks: 'lit', sentence: 'It is ready.' },
  recording: { pattern: [1800, 200], looks: 'lit, with a wink every 2 s', sentence: 'It is recording.' },
  updating: {
    pattern: [100, 100],
    looks: 'flickers',
    sentence: 'It is being updated. Do not switch it off.',
  },
  fault: {
    pattern: [1000, 250, 250, 250],
    looks: 'long, short, long, short',
    sentence: 'Something does not work. The page says what.',
  },
};
