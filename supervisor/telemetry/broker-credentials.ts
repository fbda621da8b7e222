import { resolveConfigPath } from '../config/load.ts';
import { readSettingFile } from '../config/read-setting-file.ts';
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
  const readIfSet = async (setting: string, path: string | undefined) =>
    path === undefined ? undefined : await readSecret(setting, resolveConfigPath(configFile, path));
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

async function readSecret(setting: string, path: string): Promise<Buffer> {
  try {
    return await readSettingFile(path);
  } catch (cause) {
    throw new CredentialsError(`cannot read mqtt.${setting}`, { cause });
  }
}
