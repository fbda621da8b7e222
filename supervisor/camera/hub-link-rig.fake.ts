/** A hub's end of the link and a camera's, in one process, for the tests of the link. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { pino } from 'pino';
import { WebSocketServer } from 'ws';
import type { AgentDown, HubLink, LinkedCamera } from '../contract/index.ts';
import { CameraRegistry } from '../hub/camera-registry.ts';
import { HubLinkClient } from './hub-link.ts';
import { type HubCandidate, HubLocator } from './hub-locator.ts';

const log = pino({ level: 'silent' });
/** Loopback, which never changes. */
const network = { subscribe: () => () => {} };
const cleanup: (() => Promise<void> | void)[] = [];

/** Ends what was started, the last one first. */
export async function endAll(): Promise<void> {
  for (const end of cleanup.splice(0).reverse()) await end();
}

/** Has the end of a test's own part called with the others. */
export function atEnd(end: () => Promise<void> | void): void {
  cleanup.push(end);
}

/** A hub that runs. */
export interface Hub {
  readonly registry: CameraRegistry;
  readonly port: number;
  readonly server: Server;
  /** Drops every connection without a word, as a pulled cable or a crash does. */
  cut(): void;
}

interface HubOptions {
  readonly port?: number;
  readonly keyOf?: string;
  readonly status?: number;
  /** What a refusal says. */
  readonly problem?: string;
}

/** Starts a hub that knows links of cameras and nothing else. */
export async function startHub(options: HubOptions = {}): Promise<Hub> {
  const { keyOf } = options;
  const registry = new CameraRegistry({
    hub: { id: 'hub-1', name: 'control-room' },
    log,
    claim: async (_key, { id }) => (id === keyOf ? null : { reason: `this key belongs to ${keyOf}` }),
  });
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (options.status !== undefined) {
      const { status, problem = '' } = options;
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: ${problem.length}\r\n\r\n${problem}`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) =>
      registry.accept(client, keyOf === undefined ? null : 'key-1', '192.0.2.7'),
    );
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const stop = new AbortController();
  const running = registry.run(stop.signal);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = () => {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
  };
  cleanup.push(async () => {
    stop.abort();
    await running;
    cut();
  });
  return { registry, port: address.port, server, cut };
}

/** Knows a hub by two addresses from mDNS, the first of which is dead. */
export function twoAddresses(dead: string, good: string) {
  const answers: string[] = [];
  const failures: string[] = [];
  const common = {
    id: 'hub-1',
    name: 'control-room',
    tlsFingerprint: null,
    via: 'mdns',
    reason: '',
  } as const;
  const locator = Object.assign(new HubLocator({ override: 'auto', network, log }), {
    current: () => ({ ...common, url: dead, otherUrls: [good] }),
    linked: ({ url }: HubCandidate) => void answers.push(url),
    reportFailure: (...urls: string[]) => void failures.push(...urls),
  });
  return { locator, answers, failures };
}

/** Starts the link of a camera, and records its commands and states. */
export function startCamera(
  port: number,
  id = 'cam-a',
  given?: HubLocator,
  obeysAll = true,
  withhold: () => string | null = () => null,
) {
  const states: HubLink[] = [];
  const status: Pick<LinkedCamera, 'sources' | 'recording' | 'remainingS'> = {
    sources: [],
    recording: 'recording',
    remainingS: 90,
  };
  const commands: AgentDown[] = [];
  const locator = given ?? new HubLocator({ override: `http://127.0.0.1:${port}`, network, log });
  const client = new HubLinkClient({
    locator,
    network,
    obeysAll,
    withhold,
    hello: () => ({ id, name: 'stage-left', version: '1.2.3', sources: [] }),
    status: () => ({ ...status, sources: [...status.sources], update: null }),
    token: () => null,
    fingerprint: () => null,
    onCommand: (command) => commands.push(command),
    onState: (state) => states.push(state),
    log,
  });
  const stop = new AbortController();
  const running = client.run(stop.signal);
  cleanup.push(async () => {
    stop.abort();
    await running;
  });
  return { states, status, commands, client };
}

/** A client whose every option the test decides. */
export function clientWith(port: number, options: Partial<ConstructorParameters<typeof HubLinkClient>[0]>) {
  return new HubLinkClient({
    locator: new HubLocator({ override: `http://127.0.0.1:${port}`, network, log }),
    network,
    hello: () => ({ id: 'cam-a', name: 'stage-left', version: '1.2.3', sources: [] }),
    status: () => ({ sources: [], recording: 'idle', remainingS: null, update: null }),
    token: () => 'old',
    fingerprint: () => null,
    onCommand: () => {},
    onState: () => {},
    log,
    ...options,
  });
}
