/** The machine's own addresses. */
import { networkInterfaces } from 'node:os';

/**
 * Addresses at which peers may reach this machine, loopback last. Link-local ones (169.254.0.0/16) count:
 * a camera on a bare cable has no other.
 */
export function localAddresses(interfaces = networkInterfaces()): string[] {
  const outside: string[] = [];
  for (const entries of Object.values(interfaces)) {
    for (const entry of entries ?? []) {
      if (entry.family === 'IPv4' && !entry.internal) outside.push(entry.address);
    }
  }
  return [...new Set(outside), '127.0.0.1'];
}

/** IPv6 addresses at which peers may reach this machine. Link-local ones need a zone, which no candidate can name. */
export function localIpv6Addresses(interfaces = networkInterfaces()): string[] {
  const outside: string[] = [];
  for (const entries of Object.values(interfaces)) {
    for (const entry of entries ?? []) {
      if (entry.family === 'IPv6' && !entry.internal && entry.scopeid === 0) outside.push(entry.address);
    }
  }
  return [...new Set(outside)];
}
