/** The media process: a media service behind a control socket. */
import { flushCompileCache } from 'node:module';
import type { Logger } from 'pino';
import { createMediaPlane } from '../sfu/create-plane.ts';
import { type ControlConnection, type ControlHandlers, ControlServer } from './control-server.ts';
import { MediaService } from './media-service.ts';
import type { MediaEvent } from './protocol.ts';

/** How the process runs. */
export interface MediaProcessOptions {
  readonly socketPath: string;
  readonly logger: Logger;
  /** The process ends by itself after this time without a control connection, in milliseconds. Default 60 000. */
  readonly orphanTimeoutMs?: number;
}

/** Runs until `signal` aborts or no one has been in control for too long; then everything is closed. */
export async function runMediaProcess(options: MediaProcessOptions, signal: AbortSignal): Promise<void> {
  const { logger, socketPath, orphanTimeoutMs = 60_000 } = options;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  await using datapath = await createMediaPlane({ logger });
  let server: ControlServer | null = null;
  await using service = new MediaService({
    datapath,
    logger,
    onEvent: (event) => server?.broadcast(event),
  });
  let orphanTimer = setTimeout(end, orphanTimeoutMs);
  await using control = new ControlServer({
    socketPath,
    logger,
    handlers: createHandlers(service),
    onConnections: (count) => {
      clearTimeout(orphanTimer);
      if (count === 0) orphanTimer = setTimeout(end, orphanTimeoutMs);
    },
  });
  server = control;
  await control.open();
  logger.info({ socketPath, pid: process.pid }, 'media process ready');
  // If NODE_COMPILE_CACHE is set: a machine that is switched off has no later moment for it.
  flushCompileCache();
  signal.addEventListener('abort', () => end(), { once: true });
  if (!signal.aborted) await ended;
  clearTimeout(orphanTimer);
  logger.info('media process ends');
}

function createHandlers(service: MediaService): ControlHandlers {
  return {
    configure: (config) => service.configure(config),
    whipOffer: (params) => service.whipOffer(params),
    whepOffer: (params) => service.whepOffer(params),
    patchSession: (params) => service.patchSession(params),
    selectLayer: (params) => service.selectLayer(params),
    closeSession: (params) => {
      service.closeSession(params);
      return null;
    },
    endSessionsOf: ({ keyId }) => service.endSessionsOf(keyId),
    endSessionsExcept: ({ keyIds }) => service.endSessionsExcept(keyIds),
    sessionInfo: (params) => service.sessionInfo(params),
    feeds: () => service.feeds.stats(performance.now()),
    status: () => service.status(),
    subscribeMetrics: ({ intervalMs }, connection) => {
      subscribe(service, connection, intervalMs);
      return null;
    },
  };
}

function subscribe(service: MediaService, connection: ControlConnection, intervalMs: number | null): void {
  connection.metricsTimer?.[Symbol.dispose]();
  connection.metricsTimer = null;
  if (intervalMs === null || connection.closed.aborted) return;
  const send = (): void => {
    const event: MediaEvent = {
      event: 'metrics',
      feeds: service.feeds.stats(performance.now()),
      status: service.status(),
    };
    connection.send(event);
  };
  const timer = setInterval(send, intervalMs);
  connection.metricsTimer = timer;
  connection.closed.addEventListener('abort', () => clearInterval(timer), { once: true });
}
