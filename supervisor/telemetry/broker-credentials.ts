import { resolveConfigPath } from '../config/load.ts';
import { readSecretFile, readSettingFile } from '../config/read-setting-file.ts';
import { CredentialsError } from './errors.ts';
import type { MqttSettings } from './ports.ts';

/** Secrets for one connection. */
export interface BrokerCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * Reads the files that the settings name; relative paths start at the folder of the config. They are read again for every
 * connection, so that replaced files are used. Throws CredentialsError.
 */
export async function readCredentials(
  settings: MqttSettings,
  configFile: string,
): Promise<BrokerCredentials> {
  const readIfSet = async <T>(
    setting: string,
    path: string | undefined,
    read: (file: string) => Promise<T>,
  ) => (path === undefined ? undefined : await readNamed(setting, resolveConfigPath(configFile, path), read));
  const { username, passwordFile, caFile, certFile, keyFile } = settings;
  const [password, ca, cert, key] = await Promise.all([
    readIfSet('password_file', passwordFile, readSecretFile),
    readIfSet('ca_file', caFile, readSettingFile),
    readIfSet('cert_file', certFile, readSettingFile),
    readIfSet('key_file', keyFile, readSettingFile),
  ]);
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function readNamed<T>(setting: string, path: string, read: (file: string) => Promise<T>): Promise<T> {
  try {
    return await read(path);
  } catch (cause) {
    throw new CredentialsError(`cannot read mqtt.${setting}`, { cause });
  }
}
