import type { Logger } from 'pino';
import type { Device } from '../../contract/index.ts';
import type { KeyStore } from '../../system/key-store.ts';
import { sessionCookie } from '../middleware/access.ts';
import { Gateway } from './gateway.ts';
import { backendTarget, ownPaths, pagePaths } from './own-paths.ts';
import { UpstreamDevices } from './upstream-devices.ts';

/** The gateway as the server uses it: requests that are not ours go to the backend, and its cameras are listed beside ours. */
export interface GatewayFront extends Disposable {
  readonly gateway: Gateway;
  mergedDevices(ours: readonly Device[]): Promise<Device[]>;
}

/** Makes the gateway for a backend. Null without one. */
export async function openGatewayFront(
  upstream: string,
  pages: string,
  keys: KeyStore,
  log: Logger,
): Promise<GatewayFront> {
  const devices = new UpstreamDevices({ upstream, log });
  const gateway = new Gateway({
    upstream,
    isOurs: ownPaths(await pagePaths(pages), (id) => devices.backendId(id)),
    targetOf: (target) => backendTarget(target, (id) => devices.backendId(id)),
    sessionCookie,
    isOurToken: (token) => keys.find(token) !== null,
    log,
  });
  return {
    gateway,
    mergedDevices: (ours) => devices.mergedWith(ours),
    [Symbol.dispose]: () => gateway[Symbol.dispose](),
  };
}
