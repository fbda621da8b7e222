import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConfigChangedError } from '../config/problem.ts';
import type { ApiEvent, Feed, LayerWish, Rollout, Status, Take, Update } from '../contract/index.ts';
import type { ApiPorts } from '../contract/ports.ts';
import { ApiError } from './api-error.ts';

const at = '2026-11-22T10:00:00.000Z';

const feed: Feed = {
  id: 'cam0',
  label: 'Stage left',
  state: 'online',
  reason: null,
  codec: 'avc1.42e01f',
  audioCodec: null,
  width: 1280,
  height: 720,
  fps: 30,
  bitrateKbps: 4000,
  framesTotal: 900,
  packetsLost: 0,
  lossRatio: 0,
  keyframeAgeMs: 200,
  layers: [],
  latencyMs: null,
  publisher: { kind: 'ingest', camera: null, sinceMs: 30_000 },
  viewers: [],
};

const update: Update = {
  installedVersion: '1.2.3',
  compatible: null,
  latestVersion: null,
  releaseNotes: null,
  state: 'unsupported',
  progressPercent: null,
  reason: 'This machine has no update slots.',
  slots: [],
  lastAttempt: null,
};

const rollout: Rollout = {
  available: null,
  version: null,
  startedAt: null,
  phase: 'none',
  reason: null,
  canary: null,
  cachingPercent: null,
  members: [],
};

function requireSession(sessionId: string): void {
  if (sessionId !== 'session-1') {
    throw Object.assign(new Error('no such session'), { code: 'SESSION_NOT_FOUND' });
  }
}

/** Hash of the one bundle that is served. */
export const knownBundle = 'ab'.repeat(32);

const take: Take = { id: 't1', startedAt: at, stoppedAt: null, state: 'recording', cameras: [] };

const status: Status = {
  device: {
    id: 'abcd',
    name: 'rushlight-abcd',
    model: 'Test bench',
    serial: null,
    version: '1.2.3',
    role: 'hub',
    roleSetting: 'hub',
    roleReason: 'set in rushlight.toml',
    simulation: true,
    startedAt: at,
    uptimeS: 30,
  },
  health: { state: 'ok', components: [] },
  host: {
    bootedAt: null,
    cpuLoadPercent: 3,
    temperatureC: null,
    memoryUsedBytes: 1,
    memoryTotalBytes: 2,
    power: null,
    disks: [],
    network: [],
    clock: { synced: null, offsetMs: null },
  },
  config: { file: 'rushlight.toml', errors: [] },
  sources: [],
  feeds: [feed],
  outputs: [],
  adjustables: [],
  cameras: [],
  newCameras: [],
  adoption: null,
  hub: null,
  recording: { state: 'recording', take, remainingS: 3600, refusal: null },
  masters: { folder: '/media/ssd/takes', reason: 'the SSD' },
  tally: 'off',
  update,
  mqtt: null,
  rollout,
};

/** An appliance that is not there: answers of the right shape, one feed, one take. */
export function apiPortsFake(): ApiPorts & {
  emit(event: ApiEvent): void;
  listeners(): number;
  masterPath: string;
} {
  const listeners = new Set<(event: ApiEvent) => void>();
  let changes = 0;
  const fake = {
    masterPath: '',
    emit: (event: ApiEvent) => {
      for (const listener of listeners) listener(event);
    },
    listeners: () => listeners.size,
    status: async () => status,
    subscribe: (listener: (event: ApiEvent) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    feeds: async () => [feed],
    outputs: () => [],
    signaling: {
      offer: async (_kind: string, name: string) => {
        if (name === 'busy') {
          throw Object.assign(new Error('Somebody publishes already.'), {
            code: 'FEED_BUSY',
            retryAfterS: 2,
          });
        }
        return { sessionId: 'session-1', etag: '"tag-1"', answer: 'v=0 answer' };
      },
      patch: async (_session: unknown, ifMatch: string | null) => {
        if (ifMatch === null)
          throw Object.assign(new Error('If-Match is missing.'), { code: 'ETAG_REQUIRED' });
        return { restart: ifMatch === '*' ? { etag: '"tag-2"', fragment: 'a=ice-ufrag:new' } : null };
      },
      session: async ({ sessionId }: { sessionId: string }) => {
        requireSession(sessionId);
        return { etag: '"tag-1"' };
      },
      close: async ({ sessionId }: { sessionId: string }) => requireSession(sessionId),
      selectLayer: async ({ sessionId }: { sessionId: string }, { rid, paused }: LayerWish) => {
        requireSession(sessionId);
        return { rid: rid ?? 'high', paused: paused === true };
      },
    },
    pictures: {
      watch: () => {
        throw new ApiError('FEED_UNKNOWN', 'There is no feed here.');
      },
      publish: () => {
        throw new ApiError('FEED_UNKNOWN', 'There is no feed here.');
      },
      mayWatch: () => {},
      mayPublish: () => {},
    },
    takes: {
      list: async () => [take],
      get: async (id: string) => {
        if (id === 'explode') throw new Error('secret detail');
        return take;
      },
      start: async () => take,
      stop: async () => take,
      remove: async () => {},
      verify: async () => take,
      master: async () => ({ path: fake.masterPath, fileName: 'cam0-0001.mkv' }),
    },
    devices: {
      list: async () => [],
      use: async (id: string) => {
        throw new ApiError('REQUEST_INVALID', `There is no ${id}.`);
      },
      label: async (id: string) => {
        throw new ApiError('REQUEST_INVALID', `There is no ${id}.`);
      },
      forget: async () => {},
      unplugged: () => [],
      setControls: async (id: string) => {
        throw new ApiError('REQUEST_INVALID', `There is no ${id}.`);
      },
    },
    config: {
      view: () => ({ tag: `t${changes}`, view: { file: 'f', values: {}, overrides: {}, errors: [] } }),
      patch: async (_patch: unknown, isExpected: (tag: string) => boolean) => {
        if (!isExpected(`t${changes}`)) throw new ConfigChangedError();
        changes += 1;
        return fake.config.view();
      },
    },
    update: {
      status: () => update,
      check: async () => update,
      install: async () => update,
      rollback: async () => update,
    },
    rollout: {
      status: () => rollout,
      start: async () => rollout,
      pause: async () => rollout,
      resume: async () => rollout,
      cancel: async () => rollout,
      chooseCanary: async () => rollout,
      install: async () => rollout,
      rollback: async () => rollout,
      bundle: async (sha256: string, _request: IncomingMessage, response: ServerResponse) => {
        if (sha256 !== knownBundle) return false;
        response.writeHead(206, { 'content-length': 4 }).end('part');
        return true;
      },
    },
    system: {
      identify: async () => {},
      restart: async () => {},
      shutdown: async () => {},
      factoryReset: async () => {},
      setTally: async (tally: { state: 'off' | 'preview' | 'program' }) => tally,
    },
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: async () => '# none\n',
    logs: () => ['{"msg":"one"}'],
    adoption: {
      list: () => [],
      adopt: async () => Promise.reject(new Error('none')),
      unadopt: async () => {},
      forgetHub: async () => {},
      confirmHub: async () => {},
      accept: () => {},
    },
    mqtt: { accept: async () => Promise.reject(new Error('none')), forget: async () => {} },
    acceptAgent: () => {},
  };
  return fake;
}
