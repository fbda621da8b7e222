import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import Koa from 'koa';
import type { Logger } from 'pino';
import { untilAborted } from '../../common/pause.ts';
import type { ApiPorts } from '../contract/ports.ts';
import type { TlsIdentity } from '../system/tls-identity.ts';
import { KeyedWork } from './access/keyed-work.ts';
import { SignInLimiter } from './access/sign-in-limiter.ts';
import { ApiError } from './api-error.ts';
import { ConnectionGuard, type ConnectionLimits, connectionLimits } from './connection-guard.ts';
import { type GatewayFront, openGatewayFront } from './gateway/gateway-front.ts';
import type { AccessOptions } from './middleware/access.ts';
import { cors } from './middleware/cors.ts';
import { problems } from './middleware/problems.ts';
import { securePages } from './middleware/secure-pages.ts';
import { pictureRoutes } from './pictures/picture-routes.ts';
import { buildRouter } from './router.ts';
import { adoptionRoutes } from './routes/adoption.ts';
import { eventRoutes } from './routes/events.ts';
import { keyRoutes } from './routes/keys.ts';
import { layerRoutes } from './routes/layers.ts';
import { machineRoutes } from './routes/machine.ts';
import { mqttRoutes } from './routes/mqtt.ts';
import { rolloutRoutes } from './routes/rollout.ts';
import { sessionRoutes } from './routes/session.ts';
import { signalingRoutes } from './routes/signaling.ts';
import { takeRoutes } from './routes/takes.ts';
import { staticPages } from './static-pages.ts';
import { tlsServerOptions } from './tls-options.ts';
import { WebSockets } from './web-sockets.ts';

/** What the server needs. */
export interface ApiServerOptions {
  readonly ports: ApiPorts;
  readonly access: AccessOptions;
  readonly version: string;
  /** Folder of the built pages. */
  readonly pages: string;
  readonly listen: readonly string[];
  /** 0 lets the system choose; null: no plain HTTP on these addresses. */
  readonly port: number | null;
  /** A port of plain HTTP on 127.0.0.1 in addition; 0 lets the system choose. Default: none. */
  readonly local?: number | null;
  readonly tls: { readonly port: number; readonly identity: TlsIdentity } | null;
  /** Base URL of a backend that gets requests for unknown paths; null: there is none. */
  readonly upstream: string | null;
  /** Default: what this process can carry. */
  readonly limits?: ConnectionLimits;
  readonly log: Logger;
}

/** Time limits of requests. Node.js checks them this often. */
const requestLimits = {
  connectionsCheckingInterval: 2000,
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 10_000,
  maxHeaderSize: 16 * 1024,
};

/** How long the peer of a WebSocket has to answer the goodbye; one whose cable was pulled never does. */
const goodbyeMs = 1000;

/** The HTTP API and the pages. `run` settles when `signal` is aborted and every connection has been closed. */
export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #listening = Promise.withResolvers<number>();
  readonly #opened = Promise.withResolvers<OpenPorts>();

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  /** The port of plain HTTP, once it is open. */
  get listening(): Promise<number> {
    return this.#listening.promise;
  }

  /** Every port, once all are open. */
  get opened(): Promise<OpenPorts> {
    return this.#opened.promise;
  }

  /** Rejects with PORT_TAKEN or ADDRESS_UNUSABLE. */
  async run(signal: AbortSignal): Promise<void> {
    const { listen, port, local = null, tls, upstream, pages, log } = this.#options;
    const access = {
      ...this.#options.access,
      tlsPort: null as number | null,
      signIns: new SignInLimiter(),
    };
    using front = upstream === null ? null : await openGatewayFront(upstream, pages, access.keys, log);
    using work = new KeyedWork(access.keys).open();
    const ours = this.#koa(front, work, access).callback();
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      if (front?.gateway.handle(request, response) !== true) void ours(request, response);
    };
    using sockets = new WebSockets({ ports: this.#options.ports, access, work, log });
    using guard = new ConnectionGuard(this.#options.limits ?? connectionLimits(), log);
    // A body for the backend may take any time; ours are small, and have a limit of their own.
    const limits = front === null ? requestLimits : { ...requestLimits, requestTimeout: 0 };
    const guarded = (server: Server) => {
      guard.watch(server);
      return server;
    };
    const servers: OpenServer[] = [];
    try {
      const plain = () => guarded(createServer(limits, handle));
      const opened = {
        port: port === null ? null : await open(plain, port, listen, servers),
        local: local === null ? null : await open(plain, local, ['127.0.0.1'], servers),
        tlsPort: null as number | null,
      };
      if (tls !== null) {
        const { certPem, keyPem } = tls.identity;
        const secure = () =>
          guarded(createTlsServer({ ...limits, ...tlsServerOptions, cert: certPem, key: keyPem }, handle));
        opened.tlsPort = await open(secure, tls.port, listen, servers);
        if (access.required) access.tlsPort = opened.tlsPort;
      }
      for (const { server } of servers) {
        server.on('upgrade', (request, socket, head) => {
          if (front?.gateway.upgrade(request, socket, head) === true) return;
          sockets.upgrade(request, socket, head);
        });
      }
      log.info(opened, 'api listening');
      this.#opened.resolve(opened);
      this.#listening.resolve(opened.port ?? opened.local ?? 0);
      await untilAborted(signal);
    } catch (error) {
      this.#listening.promise.catch(() => undefined); // run's own rejection reports it; no one needs to wait for the port
      this.#opened.promise.catch(() => undefined);
      this.#listening.reject(error);
      this.#opened.reject(error);
      throw error;
    } finally {
      sockets[Symbol.dispose]();
      await Promise.all(servers.map(close));
    }
  }

  #koa(front: GatewayFront | null, work: KeyedWork, access: AccessOptions): Koa {
    const { ports, version, pages, log } = this.#options;
    const app = new Koa();
    app.on('error', (error: unknown) => log.debug({ err: error }, 'response ended early'));
    app.use(problems(log));
    app.use(cors());
    const handlers = {
      ...signalingRoutes(ports, access.keys),
      ...machineRoutes(front === null ? ports : withDevicesOf(ports, front), version),
      ...layerRoutes(ports),
      ...eventRoutes(ports),
      ...takeRoutes(ports),
      ...pictureRoutes(ports),
      ...sessionRoutes(),
      ...keyRoutes(access.keys),
      ...adoptionRoutes(ports),
      ...rolloutRoutes(ports),
      ...mqttRoutes(ports),
    };
    for (const middleware of buildRouter(handlers, access, work)) app.use(middleware);
    app.use(securePages(access));
    app.use(staticPages(pages));
    app.use((ctx) => {
      throw new ApiError('ROUTE_UNKNOWN', `There is nothing at ${ctx.path}.`, {
        hint: '/openapi.json lists what there is.',
      });
    });
    return app;
  }
}

/** The list of cameras, including the backend's. */
function withDevicesOf(ports: ApiPorts, front: GatewayFront): ApiPorts {
  const list = async () => await front.mergedDevices(await ports.devices.list());
  return { ...ports, devices: { ...ports.devices, list } };
}

/** What a running server listens on. */
export interface OpenPorts {
  readonly port: number | null;
  readonly local: number | null;
  readonly tlsPort: number | null;
}

async function open(
  create: () => Server,
  port: number,
  hosts: readonly string[],
  servers: OpenServer[],
): Promise<number> {
  let first = port;
  for (const host of hosts) {
    const server = create();
    const connections = connectionsOf(server);
    await listen(server, first, host);
    servers.push({ server, connections });
    const address = server.address();
    if (first === 0 && typeof address === 'object' && address !== null) first = address.port;
  }
  return first;
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  try {
    server.listen({ port, host, ipv6Only: false });
    await once(server, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code === 'EADDRINUSE') {
      throw new ApiError('PORT_TAKEN', `Port ${port} on ${host} is taken by another program.`, {
        cause,
        hint: `End that program, or choose another port: RUSHLIGHT_PORT=${port + 1}.`,
      });
    }
    throw new ApiError('ADDRESS_UNUSABLE', `Cannot listen on ${host} port ${port}.`, { cause });
  }
}

interface OpenServer {
  readonly server: Server;
  readonly connections: ReadonlySet<Socket>;
}

function connectionsOf(server: Server): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  return connections;
}

/** Upgraded connections are no longer the server's to close: they get a moment for their goodbyes. */
async function close({ server, connections }: OpenServer): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  const late = setTimeout(() => {
    for (const socket of connections) socket.destroy();
  }, goodbyeMs);
  await closed;
  clearTimeout(late);
}
