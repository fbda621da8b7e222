import { once } from 'node:events';
import { createServer } from 'node:net';
import { describeError, errorCode } from '../../common/errors.ts';
import type { EndpointProbe } from './http-plan.ts';

/** Listens for a moment, and stops. */
export const probeEndpoint: EndpointProbe = async (host, port) => {
  const server = createServer();
  try {
    server.listen({ host, port, ipv6Only: false });
    await once(server, 'listening');
  } catch (error) {
    return reasons[errorCode(error) ?? ''] ?? describeError(error);
  }
  const closed = once(server, 'close');
  server.close();
  await closed;
  return null;
};

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program uses it',
  EADDRNOTAVAIL: 'the address is not on this machine',
  EACCES: 'the system does not allow it',
};
