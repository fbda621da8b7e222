import { readFile } from 'node:fs/promises';
import { CredentialsError } from './errors.ts';
import type { MqttSettings } from './ports.ts';

export interface BrokerCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * Reads the files the settings name. They are read anew for every connection, so that what was replaced is used.
 * Throws CredentialsError.
 */
export async function readCredentials(settings: MqttSettings): Promise<BrokerCredentials> {
  const { username, passwordFile, caFile, certFile, keyFile } = settings;
  const [password, ca, cert, key] = await Promise.all([
    readIfSet('password_file', passwordFile),
    readIfSet('ca_file', caFile),
    readIfSet('cert_file', certFile),
    readIfSet('key_file', keyFile),
  ]);
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: password.toString('utf8').replace(/\r?\n$/, '') }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function readIfSet(setting: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (cause) {
    throw new CredentialsError(`cannot read mqtt.${setting}`, { cause });
  }
}
