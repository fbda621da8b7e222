import { keyOf } from './item-keys.ts';

/** Topics of one appliance: `rushlight/<device>/…`. */
export interface Topics {
  /** The device's name in topics and discovery ids. */
  readonly device: string;
  readonly state: string;
  readonly availability: string;
  readonly updateState: string;
  /** Filter for the commands of this appliance. */
  readonly commands: string;
  readonly discovery: string;
  /** Where Home Assistant says that it has started. */
  readonly birth: string;
  command(name: string): string;
  result(name: string): string;
  snapshot(feed: string): string;
  /** What happened; `kind` is take, camera or refusal. */
  event(kind: string): string;
  /** State of the update entity that a hub shows for one of its cameras. */
  cameraUpdate(key: string): string;
  /** Filter for the update of this appliance as any hub shows it. */
  readonly ownUpdateElsewhere: string;
}

/** Home Assistant's default, whatever its discovery prefix is. */
const usualBirthTopic = 'homeassistant/status';

/** The topics of a device. `discoveryPrefix` and `birth` are settings of Home Assistant. */
export function topicsOf(deviceId: string, discoveryPrefix: string, birth = usualBirthTopic): Topics {
  const device = topicId(deviceId);
  const base = `rushlight/${device}`;
  return {
    device,
    state: `${base}/state`,
    availability: `${base}/availability`,
    updateState: `${base}/update/state`,
    commands: `${base}/+/set`,
    discovery: `${discoveryPrefix}/device/rushlight_${device}/config`,
    birth,
    command: (name) => `${base}/${name}/set`,
    result: (name) => `${base}/${name}/result`,
    cameraUpdate: (key) => `${base}/cameras/${key}/update/state`,
    ownUpdateElsewhere: `rushlight/+/cameras/${keyOf(deviceId)}/update/state`,
    event: (kind) => `${base}/event/${kind}`,
    snapshot: (feed) => `${base}/feeds/${feed}/snapshot`,
  };
}

/** Reduces an id to what Home Assistant accepts in a discovery topic: letters, digits, `_` and `-`. */
export function topicId(id: string): string {
  return id.replace(/[^A-Za-z0-9_-]/g, '_');
}

/** The hub that shows the update of the camera with this key; null if the topic is another one. */
export function hubOfUpdate(topic: string, filter: string): string | null {
  const [before = '', after = ''] = filter.split('+');
  if (!topic.startsWith(before) || !topic.endsWith(after)) return null;
  const hub = topic.slice(before.length, topic.length - after.length);
  return hub === '' || hub.includes('/') ? null : hub;
}

/** The command of a `rushlight/<device>/<command>/set` topic; null if the topic has another form. */
export function commandOf(topic: string, device: string): string | null {
  const [root, id, command, verb, ...rest] = topic.split('/');
  if (root !== 'rushlight' || id !== device || verb !== 'set' || rest.length > 0) return null;
  return command === undefined || command === '' ? null : command;
}
