/** The machine's own addresses. */
import { networkInterfaces } from 'node:os';

/**
 * Addresses at which peers may reach this machine: IPv4, then IPv6, and 127.0.0.1 last, for peers on this machine. IPv4's link-local ones
 * (169.254.0.0/16) count: a camera on a bare cable has no other. Those of IPv6 need a zone, which no candidate can name.
 */
export function localAddresses(interfaces = networkInterfaces()): string[] {
  const outside = Object.values(interfaces)
    .flatMap((entries) => entries ?? [])
    .filter((entry) => !entry.internal && (entry.family === 'IPv4' || entry.scopeid === 0))
    .toSorted((a, b) => a.family.localeCompare(b.family));
  return [...new Set(outside.map(({ address }) => address)), '127.0.0.1'];
}
