import { rm } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { isLoopback } from '../api/access/access-rule.ts';
import type { KeyStore } from '../api/access/key-store.ts';
import type { ApiPorts } from '../api/ports.ts';
import { ApiServer } from '../api/server.ts';
import type { TlsIdentity } from '../api/tls-identity.ts';
import { writeFileAtomic } from '../config/atomic-write.ts';
import type { Config } from '../config/schema.ts';
import { describeError } from '../errors.ts';
import type { HealthReporter } from '../health.ts';
import { ServiceSlot } from '../process/service-slot.ts';
import type { Role } from '../roles/facts.ts';
import { loadTls } from './credentials.ts';
import type { DataPaths } from './data-folder.ts';

export interface HttpServiceOptions {
  readonly ports: ApiPorts;
  readonly keys: KeyStore;
  readonly paths: DataPaths;
  readonly configFile: string;
  readonly version: string;
  readonly simulation: boolean;
  /** Stands over the settings' port. */
  readonly port: number | null;
  readonly health: HealthReporter;
  readonly log: Logger;
}

/** How the API is reached, as others are told. */
export interface Reach {
  readonly port: number;
  readonly tlsPort: number | null;
  readonly fingerprint: string | null;
}

const pages = join(import.meta.dirname, '..', 'web', 'dist');
const loopback = ['127.0.0.1', '::1'];

/** Page and API, listening as the settings say. The simulation listens on loopback alone and needs no token. */
export class HttpService {
  readonly #options: HttpServiceOptions;
  readonly #slot: ServiceSlot;
  #reach: Reach | null = null;

  constructor(options: HttpServiceOptions) {
    this.#options = options;
    this.#slot = new ServiceSlot('http', options.log);
  }

  get reach(): Reach | null {
    return this.#reach;
  }

  /**
   * Brings the server to what the settings say. Rejects at the first start where it cannot listen; later it keeps
   * quiet and tells the health instead, as what runs must not end because of a new port.
   */
  async apply({ http, gateway }: Config, name: string, role: Role): Promise<void> {
    const { simulation, port, log, health } = this.#options;
    const upstream = role === 'hub' ? (gateway.upstream ?? null) : null;
    const key = { ...http, port: port ?? http.port, simulation, upstream };
    const first = this.#reach === null;
    const listening = Promise.withResolvers<void>();
    await this.#slot.set(key, async (signal) => {
      try {
        await this.#serve(http, upstream, name, listening.resolve, signal);
      } catch (error) {
        health.failed(describeError(error));
        listening.reject(error);
        if (!first) log.error({ err: error }, 'page and API cannot listen');
      }
    });
    if (first) await listening.promise;
  }

  async close(): Promise<void> {
    await this.#slot.close();
    await rm(this.#options.paths.apiUrl, { force: true });
  }

  async #serve(
    http: Config['http'],
    upstream: string | null,
    name: string,
    onListening: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { ports, keys, paths, configFile, version, simulation, health, log } = this.#options;
    const identity = http.tls && !simulation ? await loadTls(http, configFile, name, paths) : null;
    const listen = simulation ? usable(loopback) : http.listen;
    const server = new ApiServer({
      ports,
      access: { keys, required: tokensNeeded(http, simulation) },
      version,
      pages,
      listen,
      port: this.#options.port ?? http.port,
      tls: identity === null ? null : { port: http.tlsPort, identity },
      upstream,
      log,
    });
    const running = server.run(signal);
    const port = await Promise.race([server.listening, running.then(() => null)]);
    if (port === null) return;
    this.#reach = reachOf(port, http, identity);
    await writeFileAtomic(paths.apiUrl, `http://127.0.0.1:${port}\n`);
    health.ok();
    onListening();
    await running;
  }
}

function reachOf(port: number, http: Config['http'], identity: TlsIdentity | null): Reach {
  if (identity === null) return { port, tlsPort: null, fingerprint: null };
  return { port, tlsPort: http.tlsPort, fingerprint: identity.fingerprint };
}

function tokensNeeded(http: Config['http'], simulation: boolean): boolean {
  if (simulation) return false;
  return http.auth === 'required' || !http.listen.every(isLoopback);
}

/** A machine without IPv6 has no ::1 to listen on. */
function usable(addresses: readonly string[]): string[] {
  const own = Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).map(({ address }) => address),
  );
  const found = addresses.filter((address) => own.includes(address));
  return found.length === 0 ? ['127.0.0.1'] : found;
}
