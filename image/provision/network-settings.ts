import { parse } from 'smol-toml';
import { z } from 'zod';
import { asRecord } from './loose.ts';
import { ssidSchema } from './settings.ts';

/** `[network]` of rushlight.toml, as far as it concerns the access point; defaults as in the product's own schema. */
const networkSchema = z.object({
  access_point: z.enum(['auto', 'never']).catch('auto'),
  access_point_after_s: z.int().min(30).max(3600).catch(120),
  access_point_ssid: ssidSchema.optional().catch(undefined),
});

/** What the owner's file says about the access point. */
export interface AccessPointSettings {
  readonly enabled: boolean;
  readonly afterMs: number;
  readonly ssid: string;
}

/**
 * Reads the owner's file. A file or a value that cannot be read counts as absent: without a network no one can read about the
 * mistake, so the access point is needed all the more. Pure.
 */
export function accessPointSettings(toml: string, hostname: string): AccessPointSettings {
  let table: unknown = {};
  try {
    table = asRecord(parse(toml).network);
  } catch {
    // the supervisor tells the owner what is wrong with the file
  }
  const said = networkSchema.parse(table);
  return {
    enabled: said.access_point === 'auto',
    afterMs: said.access_point_after_s * 1000,
    // A host name may be longer than the name of a network, and is ASCII.
    ssid: said.access_point_ssid ?? hostname.slice(0, 32),
  };
}

interface Address {
  readonly family: string;
  readonly address: string;
  readonly internal: boolean;
}

/** Address of the appliance in its own access point. */
export const accessPointAddress = '10.42.0.1';

/** Whether any interface has an address that was assigned to it: not loopback, not link-local, not our own access point's. */
export function hasNetwork(interfaces: Readonly<Record<string, readonly Address[] | undefined>>): boolean {
  return Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .some(
      ({ family, address, internal }) =>
        !internal &&
        address !== accessPointAddress &&
        !(family === 'IPv4' ? address.startsWith('169.254.') : /^fe[89ab]/i.test(address)),
    );
}
