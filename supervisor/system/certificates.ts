import { rename, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { describeError, errorCode } from '../../common/errors.ts';
import { ifThere, writeFileAtomic } from '../../common/files.ts';
import { pause } from '../../common/pause.ts';
import { resolveConfigPath } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { DataPaths } from './data-folder.ts';
import { createTlsIdentity, isSelfSigned, readTlsIdentity, type TlsIdentity } from './tls-identity.ts';

/** Where certificates lie. */
export interface CertificatesOptions {
  readonly configFile: string;
  readonly paths: Pick<DataPaths, 'tlsCert' | 'tlsKey'>;
  readonly log: Logger;
  /** How often the owner's files are looked at. Default 10 s. */
  readonly lookMs?: number;
}

/** The owner's own files, as they were when they were read. */
interface ConfiguredFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly stamp: string;
  /** The last pair of them that fitted. */
  readonly identity: TlsIdentity | null;
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
  #configured: ConfiguredFiles | null = null;

  constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  /** Never rejects because of files: unusable ones are replaced, and named. */
  async find({ certFile, keyFile }: Config['http'], name: string): Promise<FoundIdentity> {
    if (certFile === undefined || keyFile === undefined) {
      this.#configured = null;
      return await this.#ownMade(name);
    }
    const { configFile } = this.#options;
    return await this.#ownersOwn(
      resolveConfigPath(configFile, certFile),
      resolveConfigPath(configFile, keyFile),
      name,
    );
  }

  /** Resolves once the owner's files are not those that were found last, as after a renewal; else with the abort. */
  async changed(signal: AbortSignal): Promise<void> {
    const { lookMs = 10_000 } = this.#options;
    while (!signal.aborted) {
      await pause(lookMs, signal);
      const found = this.#configured;
      if (found !== null && (await stampOf(found.certFile, found.keyFile)) !== found.stamp) return;
    }
  }

  /** A renewal replaces one file after the other: until both fit, what was read before stays. */
  async #ownersOwn(certFile: string, keyFile: string, name: string): Promise<FoundIdentity> {
    const before = this.#configured;
    const isSame = before?.certFile === certFile && before.keyFile === keyFile;
    const kept = isSame ? before.identity : null;
    const stamp = await stampOf(certFile, keyFile);
    try {
      const identity = await readTlsIdentity(certFile, keyFile);
      this.#configured = { certFile, keyFile, stamp, identity };
      return { identity, problems: [] };
    } catch (error) {
      this.#configured = { certFile, keyFile, stamp, identity: kept };
      const until = (what: string) => `${describeError(error)}; HTTPS uses ${what} until they can.`;
      if (kept !== null) return { identity: kept, problems: [until('what these files held before')] };
      const { identity, problems } = await this.#ownMade(name);
      return { identity, problems: [until('the certificate of this appliance'), ...problems] };
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

/** Changes with every replacement and every write of the files. */
async function stampOf(...files: readonly string[]): Promise<string> {
  const stamps = files.map(async (file) => {
    try {
      const { ino, size, mtimeMs } = await stat(file);
      return `${ino} ${size} ${mtimeMs}`;
    } catch (error) {
      return errorCode(error) ?? String(error);
    }
  });
  return (await Promise.all(stamps)).join();
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
