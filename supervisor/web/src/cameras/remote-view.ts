import type { ConfigView, SourceStatus, Status } from '../../../contract/index.ts';

/** Kinds of remote feeds that can be added on the page. */
export type RemoteKind = 'rtsp' | 'mjpeg' | 'whep';

/** Each kind with its name, its example, and the beginnings that its address may have. */
export const remoteKinds: readonly {
  readonly kind: RemoteKind;
  readonly name: string;
  readonly example: string;
  readonly schemes: string;
  /** Whether it may ask for a user name and a password. */
  readonly hasLogin: boolean;
}[] = [
  {
    kind: 'rtsp',
    name: 'Network camera (RTSP)',
    example: 'rtsp://192.168.1.40/stream1',
    schemes: 'rtsps?',
    hasLogin: true,
  },
  {
    kind: 'mjpeg',
    name: 'Motion JPEG over HTTP',
    example: 'http://192.168.1.41/video.mjpg',
    schemes: 'https?',
    hasLogin: true,
  },
  {
    kind: 'whep',
    name: 'Another hub or server (WHEP)',
    example: 'https://other-hub.local/whep/cam0',
    schemes: 'https?',
    hasLogin: false,
  },
];

/** The address as the appliance takes it: user name and password, which many manuals put into it, have fields of their own. */
export const addressParts = (text: string): Required<Pick<NewRemote, 'url' | 'username' | 'password'>> => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.username === '' && url.password === ''))
    return { url: text, username: '', password: '' };
  const [username, password] = [url.username, url.password].map(decoded);
  url.username = '';
  url.password = '';
  return { url: url.href, username: username ?? '', password: password ?? '' };
};

/** A lone percent sign is no escape. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const listOf = (kind: RemoteKind): 'source' | 'remote' => (kind === 'rtsp' ? 'source' : 'remote');

/** Kinds that this appliance can show beside its own cameras: only hubs show feeds of other hubs and servers. */
export const remoteKindsOf = ({ device }: Status) =>
  remoteKinds.filter(({ kind }) => device.role === 'hub' || listOf(kind) === 'source');

const isRemote = (kind: SourceStatus['kind']): kind is RemoteKind =>
  remoteKinds.some((remote) => remote.kind === kind);

/** Feeds of this appliance whose picture is made elsewhere. */
export const remoteSources = (status: Status): readonly SourceStatus[] =>
  status.sources.filter(({ kind }) => isRemote(kind));

/** Ids in the settings have at most 32 characters; a number may have to follow. */
const longestBase = 28;

/** A feed's id from its name: lower-case, without characters that a URL would have to escape, and not taken. */
export const feedIdOf = (label: string, taken: ReadonlySet<string>): string => {
  const base =
    label
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, longestBase)
      .replace(/-+$/, '') || 'feed';
  let id = base;
  for (let number = 2; taken.has(id); number += 1) id = `${base}-${number}`;
  return id;
};

interface Entry {
  readonly id?: unknown;
  readonly url?: unknown;
}

const entriesOf = (config: ConfigView, list: 'source' | 'remote'): readonly Entry[] => {
  const value = config.values[list];
  return Array.isArray(value) ? (value as Entry[]) : [];
};

/** Ids that a new feed must not take. */
const takenIds = (config: ConfigView, status: Status): ReadonlySet<string> =>
  new Set(
    [...status.feeds, ...status.sources, ...entriesOf(config, 'source'), ...entriesOf(config, 'remote')].map(
      ({ id }) => String(id),
    ),
  );

/** A feed to add. */
export interface NewRemote {
  readonly kind: RemoteKind;
  readonly label: string;
  readonly url: string;
  /** Empty or absent if the camera asks for none. */
  readonly username?: string;
  readonly password?: string;
}

/** The change to the settings that adds a feed: lists are set as a whole. */
export const withRemote = (config: ConfigView, status: Status, remote: NewRemote) => {
  const { kind, label, url, username = '', password = '' } = remote;
  const list = listOf(kind);
  const id = feedIdOf(label, takenIds(config, status));
  const login = {
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
  };
  return { [list]: [...entriesOf(config, list), { id, kind, label, url, ...login }] };
};

/** The change to the settings that removes a feed. */
export const withoutRemote = (config: ConfigView, { id, kind }: SourceStatus) => {
  const list = isRemote(kind) ? listOf(kind) : 'source';
  return { [list]: entriesOf(config, list).filter((entry) => entry.id !== id) };
};

/** Address of a remote feed; null if this key may not see the settings. */
export const remoteUrl = (config: ConfigView | null, { id, kind }: SourceStatus): string | null => {
  if (config === null || !isRemote(kind)) return null;
  const url = entriesOf(config, listOf(kind)).find((entry) => entry.id === id)?.url;
  return typeof url === 'string' ? url : null;
};

/** What happens with a camera that is plugged in. */
export type AdoptPolicy = 'ask' | 'auto' | 'never';

/** What happens with a camera that is plugged in; null if this key may not see the settings. */
export const adoptPolicyOf = (config: ConfigView | null): AdoptPolicy | null => {
  const devices = config?.values.devices as { adopt?: AdoptPolicy } | undefined;
  return devices?.adopt ?? null;
};
