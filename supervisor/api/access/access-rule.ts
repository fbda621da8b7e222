import { isIPv4 } from 'node:net';
import type { AccessRole } from '../../contract/index.ts';
import type { Caller } from '../../contract/ports.ts';

const includes: Readonly<Record<Caller['role'], readonly AccessRole[]>> = {
  owner: ['owner', 'operator', 'viewer', 'public'],
  operator: ['operator', 'viewer', 'public'],
  viewer: ['viewer', 'public'],
  camera: ['camera', 'public'],
  public: ['public'],
};

/** Whether a caller of this role may use a route that names these roles. */
export function mayCall(role: Caller['role'], access: readonly AccessRole[]): boolean {
  return access.some((one) => includes[role].includes(one));
}

/** An address as people write it: a socket that listens on `::` reports IPv4 callers as `::ffff:192.0.2.7`. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** Whether an address is one of this machine's loopback addresses. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

/** Whether a `Host` or `Origin` host name can only mean this machine: keeps out other sites' pages and rebound DNS names. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || name.endsWith('.localhost') || isLoopback(name);
}
