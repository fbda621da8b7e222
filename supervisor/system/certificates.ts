import { rename, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { describeError, errorCode } from '../../common/errors.ts';
import { ifThere, writeFileAtomic } from '../../common/files.ts';
import { resolveConfigPath } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { DataPaths } from './data-folder.ts';
import { createTlsIdentity, isSelfSigned, readTlsIdentity, type TlsIdentity } from './tls-identity.ts';

/** Where certificates lie. */
export interface CertificatesOptions {
  readonly configFile: string;
  readonly paths: Pick<DataPaths, 'tlsCert' | 'tlsKey'>;
  readonly log: Logger;
}

/** The identity in use, and what is wrong with others. */
export interface FoundIdentity {
  readonly identity: TlsIdentity;
  /** What is wrong with the certificates, in sentences. */
  readonly problems: readonly string[];
}

/**
 * What HTTPS is served with: the owner's own certificate, or one that this appliance made at its first start. No matter what
 * the disk contains, there is always one.
 */
export class Certificates {
  readonly #options: CertificatesOptions;
  #selfMade: FoundIdentity | null = null;

  constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  /** Never rejects because of files: unusable ones are replaced, and named. */
  async find({ certFile, keyFile }: Config['http'], name: string): Promise<FoundIdentity> {
    if (certFile === undefined || keyFile === undefined) return await this.#ownMade(name);
    const { configFile } = this.#options;
    try {
      const identity = await readTlsIdentity(
        resolveConfigPath(configFile, certFile),
        resolveConfigPath(configFile, keyFile),
      );
      return { identity, problems: [] };
    } catch (error) {
      const { identity, problems } = await this.#ownMade(name);
      const instead = 'HTTPS uses the certificate of this appliance until they can';
      return { identity, problems: [`${describeError(error)}; ${instead}.`, ...problems] };
    }
  }

  /** Read once: what is served does not change because a disk went away. */
  async #ownMade(name: string): Promise<FoundIdentity> {
    this.#selfMade ??= await this.#readOrMake(name);
    return this.#selfMade;
  }

  async #readOrMake(name: string): Promise<FoundIdentity> {
    const { paths } = this.#options;
    const problems: string[] = [];
    if ((await isThere(paths.tlsCert)) || (await isThere(paths.tlsKey))) {
      try {
        const identity = await readTlsIdentity(paths.tlsCert, paths.tlsKey);
        if (isSelfSigned(identity)) return { identity, problems };
        problems.push(await this.#putAside('the certificate was altered'));
      } catch (error) {
        problems.push(await this.#putAside(describeError(error)));
      }
    }
    const identity = await createTlsIdentity(name, new Date());
    try {
      // The key first: otherwise the next start could find a certificate without its key.
      await writeFileAtomic(paths.tlsKey, identity.keyPem);
      await writeFileAtomic(paths.tlsCert, identity.certPem);
    } catch (error) {
      this.#options.log.error({ err: error }, 'the new certificate cannot be kept');
      problems.push(`The certificate of this appliance cannot be kept: ${describeError(error)}.`);
    }
    return { identity, problems };
  }

  async #putAside(reason: string): Promise<string> {
    const { paths, log } = this.#options;
    for (const file of [paths.tlsCert, paths.tlsKey]) {
      try {
        await ifThere(rename(file, `${file}.broken`));
      } catch (error) {
        log.error({ err: error, file }, 'a broken file cannot be put aside');
      }
    }
    log.error({ reason, cert: paths.tlsCert }, 'the certificate of this appliance was broken and put aside');
    return `The certificate of this appliance was damaged, and there is a new one (${reason}). Browsers will ask once more; adopt cameras that no longer connect again.`;
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    // Reading it will name any other error.
    return errorCode(error) !== 'ENOENT';
  }
}
