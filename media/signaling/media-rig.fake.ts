/** A media service with its HTTP face on free ports, for tests. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { pino } from 'pino';
import { MediaService } from '../control/media-service.ts';
import { type MediaConfig, type MediaEvent, mediaConfigSchema } from '../control/protocol.ts';
import { createMediaPlane } from '../sfu/create-plane.ts';
import { HttpHarness } from './http-harness.fake.ts';

/** The service and its ports. */
export interface MediaRig extends AsyncDisposable {
  readonly service: MediaService;
  readonly url: string;
  readonly events: readonly MediaEvent[];
}

/** Opens one. */
export async function openMediaRig(
  config: Partial<MediaConfig> = {},
  timing: { peerSilenceMs?: number; hubSilenceMs?: number } = {},
): Promise<MediaRig> {
  const logger = pino({ level: process.env.TEST_LOG ?? 'silent' });
  const datapath = await createMediaPlane({ logger, ...timing });
  const events: MediaEvent[] = [];
  const service = new MediaService({ datapath, logger, onEvent: (event) => events.push(event) });
  const { problems } = await service.configure(
    mediaConfigSchema.parse({
      udpPort: 0,
      listenAddresses: ['127.0.0.1'],
      ingests: [],
      pushes: [],
      ...config,
    }),
  );
  if (problems.length > 0) throw new Error(problems.join('; '));
  const http = new HttpHarness(service);
  const url = await http.open();
  return {
    service,
    url,
    events,
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
      await datapath[Symbol.asyncDispose]();
    },
  };
}

/** An even UDP port that was free a moment ago, with a free one behind it. */
export async function freeRtpPort(): Promise<number> {
  for (;;) {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    if (port % 2 === 0 && port < 65000) return port;
  }
}

/** Resolves once `condition` holds; rejects after `timeoutMs`. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 20_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`did not happen in ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
