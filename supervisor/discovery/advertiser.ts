import type { Logger } from 'pino';
import { describeError } from '../../common/errors.ts';
import { untilAborted } from '../../common/pause.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';
import {
  type AvahiPaths,
  avahiPaths,
  avahiRuns,
  avahiServiceFile,
  removeServiceFile,
  writeServiceFile,
} from './avahi.ts';
import { linkAddresses, linkChange } from './link-addresses.ts';
import { MdnsLink } from './mdns-link.ts';
import { encodeTxt, type ServiceTxt, serviceType } from './service-txt.ts';

/** What is announced. */
export interface AdvertiserOptions {
  /** Host name; also the name of the service that people see. */
  readonly name: string;
  readonly id: string;
  readonly role: ServiceTxt['role'];
  readonly version: string;
  /** Port of HTTPS if `tls` is set, else of HTTP. */
  readonly port: number;
  /** SHA-256 of the certificate, 64 lower-case hex digits; null for plain HTTP. */
  readonly tls: string | null;
  /** Base path of the API. Default `/`. */
  readonly path?: string;
  readonly network: NetworkEvents;
  readonly log: Logger;
  readonly avahi?: AvahiPaths;
}

/**
 * Announces this appliance as `_rushlight._tcp` until abort, then says goodbye. If avahi runs, it owns the machine's names and
 * gets a service file. Otherwise bonjour-service answers on every interface, and starts again after address changes.
 */
export class Advertiser {
  readonly #options: AdvertiserOptions;

  constructor(options: AdvertiserOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const avahi = this.#options.avahi ?? avahiPaths;
    if (!(await avahiRuns(avahi))) return await this.#announce(`${this.#options.name}.local`, signal);
    const file = avahiServiceFile(this.#options.name, this.#options.port, this.#txt());
    try {
      await writeServiceFile(avahi.serviceFile, file);
    } catch (error) {
      this.#options.log.info(
        `avahi cannot be handed the service (${describeError(error)}): announcing it here`,
      );
      // Two owners of one host name make avahi rename the machine, so the service gets a host name of its own.
      return await this.#announce(`${this.#options.name}-${serviceType}.local`, signal);
    }
    this.#options.log.info({ file: avahi.serviceFile }, 'avahi announces this appliance');
    await untilAborted(signal);
    await removeServiceFile(avahi.serviceFile);
  }

  async #announce(host: string, signal: AbortSignal): Promise<void> {
    const { name, port, network, log } = this.#options;
    while (!signal.aborted) {
      const addresses = linkAddresses();
      await using link = new MdnsLink(addresses, log);
      link.open();
      link.publish({ name, type: serviceType, protocol: 'tcp', port, host, txt: encodeTxt(this.#txt()) });
      log.info({ host, addresses: [...addresses.values()] }, 'announcing this appliance by mDNS');
      await linkChange(addresses, network, signal);
      if (signal.aborted) await link.unpublish();
    }
  }

  #txt(): ServiceTxt {
    const { id, role, version, path, tls } = this.#options;
    return { id, role, ver: version, path: path ?? '/', tls };
  }
}
