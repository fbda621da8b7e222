import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readTextIfThere } from '../../common/files.ts';
import type { StateSection, StateStore } from '../config/state.ts';
import type { Host } from '../platform/host.ts';
import { defaultName } from '../platform/host.ts';

/**
 * If the settings give no name, the image writes here the name that the machine has at DHCP and in avahi (image/provision).
 */
export const machineNameFile = '/run/rushlight-name';

/** Who this appliance is. */
export interface Identity {
  /** Stable; used in MQTT topics and mDNS. */
  readonly id: string;
  /** Its name if the settings give none. */
  readonly defaultName: string;
  readonly model: string;
  readonly serial: string | null;
  readonly version: string;
}

/** The id in state.json. */
export const identitySection = {
  name: 'identity',
  schema: z.object({ id: z.string().optional() }),
} as const satisfies StateSection<z.ZodObject>;

/**
 * The id is the end of the board's serial number; without one it is made once and kept with the data, because two appliances
 * may run on one PC. The default name is the machine's own if the image says it, so that everything uses the same name.
 */
export async function readIdentity(
  state: StateStore,
  host: Host,
  nameFile: string | null = null,
): Promise<Identity> {
  const { model, serial } = await host.identity();
  let { id } = state.get(identitySection);
  if (id === undefined) {
    id = serial === null ? randomBytes(4).toString('hex') : serial.slice(-8).toLowerCase();
    const made = id;
    await state.update(identitySection, () => ({ id: made }));
  }
  const name = (nameFile === null ? null : await machineName(nameFile)) ?? defaultName({ serial, id });
  return { id, defaultName: name, model, serial, version: await productVersion() };
}

async function machineName(file: string): Promise<string | null> {
  const name = (await readTextIfThere(file))?.trim() ?? '';
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name) ? name : null;
}

async function productVersion(): Promise<string> {
  const file = join(import.meta.dirname, '..', '..', 'package.json');
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(await readFile(file, 'utf8')));
  return version;
}
