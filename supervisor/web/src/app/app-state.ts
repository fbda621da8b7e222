import type { ApiEvent, Device, Rollout, Status, Take, UnpluggedDevice } from '../../../contract/index.ts';

/** The page's link to the appliance. */
export type LinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  /** `retryAtMs` is null while a retry is under way. Times are the browser's, ms since 1970. */
  | {
      readonly kind: 'lost';
      readonly reason: string;
      readonly sinceMs: number;
      readonly retryAtMs: number | null;
    }
  | { readonly kind: 'locked'; readonly reason: string | null };

/** Everything the page shows. */
export interface AppState {
  readonly link: LinkState;
  readonly status: Status | null;
  /** Newest first; null until they are known. */
  readonly takes: readonly Take[] | null;
  /** Cameras plugged into the appliance; null until they are known. */
  readonly devices: readonly Device[] | null;
  /** Cameras that were used and are not plugged in now. */
  readonly unplugged: readonly UnpluggedDevice[];
  /** The appliance's clock minus the browser's. */
  readonly clockOffsetMs: number;
  /** Version that served this page, to notice an update under an open page. */
  readonly pageVersion: string | null;
  /** Counts up when the settings may have changed: settings read before are old. */
  readonly configEdition: number;
}

/** Everything that can change the state. */
export type AppAction =
  | { readonly type: 'status'; readonly status: Status; readonly clockOffsetMs?: number | null }
  | { readonly type: 'takes'; readonly takes: readonly Take[] }
  | {
      readonly type: 'devices';
      readonly devices: readonly Device[];
      readonly unplugged: readonly UnpluggedDevice[];
    }
  | { readonly type: 'device-forgotten'; readonly id: string }
  | { readonly type: 'event'; readonly event: ApiEvent }
  | { readonly type: 'connecting' }
  | { readonly type: 'open' }
  | {
      readonly type: 'lost';
      readonly reason: string;
      readonly atMs: number;
      readonly retryAtMs: number | null;
    }
  | { readonly type: 'locked'; readonly reason: string | null };

/** The state before anything is known. */
export const initialState: AppState = {
  link: { kind: 'connecting' },
  status: null,
  takes: null,
  devices: null,
  unplugged: [],
  clockOffsetMs: 0,
  pageVersion: null,
  configEdition: 0,
};

const upsertTake = (takes: readonly Take[] | null, take: Take): readonly Take[] | null => {
  if (takes === null) return null;
  if (takes.some(({ id }) => id === take.id)) {
    return takes.map((known) => (known.id === take.id ? take : known));
  }
  return [take, ...takes].toSorted((a, b) => b.startedAt.localeCompare(a.startedAt));
};

/**
 * If the appliance no longer lists a feed but still its source, the media service is gone, not the camera: the tile stays,
 * offline, until the feed is back or the source is gone.
 */
const keepFeeds = (known: Status | null, status: Status): Status => {
  const sources = [...status.sources, ...status.cameras.flatMap((camera) => camera.sources)];
  const missing = (known?.feeds ?? []).filter(
    ({ id }) => sources.some((source) => source.id === id) && !status.feeds.some((feed) => feed.id === id),
  );
  if (missing.length === 0) return status;
  const kept = missing.map((feed) => ({ ...feed, state: 'offline' as const, publisher: null, viewers: [] }));
  return { ...status, feeds: [...status.feeds, ...kept] };
};

const withStatus = (state: AppState, status: Status): AppState => ({
  ...state,
  status: keepFeeds(state.status, status),
  pageVersion: state.pageVersion ?? status.device.version,
  takes: status.recording.take === null ? state.takes : upsertTake(state.takes, status.recording.take),
});

const recordingStateOf = ({ state, stoppedAt }: Take): Status['recording']['state'] => {
  if (state === 'verified') return 'idle';
  return state === 'failed' && stoppedAt !== null ? 'idle' : state;
};

/** A take's event is newer than the last status, until the next status comes. */
const withTake = (state: AppState, take: Take): AppState => {
  const takes = upsertTake(state.takes, take);
  const { status } = state;
  if (status === null) return { ...state, takes };
  const shown = status.recording.take;
  const concerns = shown === null || shown.id === take.id || take.startedAt > shown.startedAt;
  if (!concerns) return { ...state, takes };
  const recording = { ...status.recording, take, state: recordingStateOf(take) };
  return { ...state, takes, status: { ...status, recording } };
};

const withoutTake = (state: AppState, id: string): AppState => ({
  ...state,
  takes: state.takes?.filter((take) => take.id !== id) ?? null,
});

const withoutDevice = (state: AppState, id: string): AppState => {
  const gone = state.devices?.find((device) => device.id === id);
  const devices = state.devices?.filter((device) => device.id !== id) ?? null;
  if (gone?.use !== 'used' || gone.source === null) return { ...state, devices };
  // Its feed resumes when it is back; the settings decide about the others.
  const away = { id, label: gone.label, feed: gone.source };
  return { ...state, devices, unplugged: [...state.unplugged.filter((one) => one.id !== id), away] };
};

const withDevice = (state: AppState, device: Device): AppState => {
  const known = state.devices?.some(({ id }) => id === device.id) ?? false;
  const devices = known
    ? (state.devices?.map((one) => (one.id === device.id ? device : one)) ?? null)
    : [...(state.devices ?? []), device];
  return { ...state, devices, unplugged: state.unplugged.filter(({ id }) => id !== device.id) };
};

/** A rollout's event comes at once, the status with it a moment later. */
const withRollout = (state: AppState, rollout: Rollout): AppState =>
  state.status === null ? state : { ...state, status: { ...state.status, rollout } };

const withEvent = (state: AppState, event: ApiEvent): AppState => {
  if (event.type === 'status') return withStatus(state, event.status);
  if (event.type === 'take') return withTake(state, event.take);
  if (event.type === 'take-removed') return withoutTake(state, event.id);
  if (event.type === 'device-removed') return withoutDevice(state, event.id);
  if (event.type === 'rollout') return withRollout(state, event.rollout);
  if (event.type === 'config') return { ...state, configEdition: state.configEdition + 1 };
  return withDevice(state, event.device);
};

/** The next state. Pure. */
export const reduce = (state: AppState, action: AppAction): AppState => {
  switch (action.type) {
    case 'status':
      return {
        ...withStatus(state, action.status),
        clockOffsetMs: action.clockOffsetMs ?? state.clockOffsetMs,
      };
    case 'takes':
      return { ...state, takes: action.takes };
    case 'devices':
      return { ...state, devices: action.devices, unplugged: action.unplugged };
    case 'device-forgotten':
      return { ...state, unplugged: state.unplugged.filter(({ id }) => id !== action.id) };
    case 'event':
      return withEvent(state, action.event);
    case 'connecting':
      // While the link is lost, a retry must not hide that nothing on the page is fresh.
      return state.link.kind === 'lost'
        ? { ...state, link: { ...state.link, retryAtMs: null } }
        : { ...state, link: { kind: 'connecting' } };
    case 'open':
      // Whatever changed since the stream before it, after a loss or a silence, was not heard.
      return {
        ...state,
        link: { kind: 'open' },
        configEdition: state.configEdition + (state.link.kind === 'connecting' ? 0 : 1),
      };
    case 'lost': {
      const sinceMs = state.link.kind === 'lost' ? state.link.sinceMs : action.atMs;
      return {
        ...state,
        link: { kind: 'lost', reason: action.reason, sinceMs, retryAtMs: action.retryAtMs },
      };
    }
    case 'locked':
      return { ...initialState, link: { kind: 'locked', reason: action.reason } };
  }
};

const eventTypes: readonly string[] = [
  'status',
  'device-added',
  'device-changed',
  'device-removed',
  'take',
  'take-removed',
  'rollout',
  'config',
] satisfies ApiEvent['type'][];

/** Reads the data of a server-sent event; null if this page does not know it. */
export const parseEvent = (data: string): ApiEvent | null => {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    // Not of this API; the next status has the truth anyway.
    return null;
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return null;
  return eventTypes.includes(value.type as string) ? (value as ApiEvent) : null;
};
