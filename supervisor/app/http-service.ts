import { rm } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { Backoff } from '../../common/backoff.ts';
import { describeError } from '../../common/errors.ts';
import { writeFileAtomic } from '../../common/files.ts';
import { pause } from '../../common/pause.ts';
import { ApiServer, isLoopback } from '../api/index.ts';
import { restartKey } from '../config/restart-key.ts';
import type { Config } from '../config/schema.ts';
import type { ApiPorts } from '../contract/ports.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';
import type { Role } from '../roles/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import { Certificates } from '../system/certificates.ts';
import type { DataPaths } from '../system/data-folder.ts';
import type { HealthReporter } from '../system/health.ts';
import type { KeyStore } from '../system/key-store.ts';
import type { Reach } from '../system/reach.ts';
import type { TlsIdentity } from '../system/tls-identity.ts';
import { everywhere, isOutside, planServing, type Serving } from './http-plan.ts';
import { probeEndpoint } from './listen-probe.ts';

/** What page and API need of the appliance. */
export interface HttpServiceOptions {
  readonly ports: ApiPorts;
  readonly keys: KeyStore;
  readonly paths: DataPaths;
  readonly configFile: string;
  readonly version: string;
  readonly simulation: boolean;
  /** Overrides the settings' port. */
  readonly port: number | null;
  readonly network: NetworkEvents;
  readonly health: HealthReporter;
  /** What is served changed by itself: a port became free, an address came or went. */
  readonly onReach: () => void;
  readonly log: Logger;
  /**
   * First and longest pause between two tries of what cannot be served, in milliseconds. Default one second and one minute.
   */
  readonly retryMs?: readonly [number, number];
  /** How often the owner's certificate is looked at. Default 10 s. */
  readonly lookMs?: number;
}

interface WantedPage {
  /** The settings it was made from. */
  readonly settings: ReturnType<typeof restartKey>;
  readonly http: Config['http'];
  readonly upstream: string | null;
  readonly name: string;
}

interface Running {
  /** What it serves, and with what. */
  readonly serving: Serving;
  readonly face: Face;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Wanted settings that do not concern listening. */
interface Face {
  readonly upstream: string | null;
  readonly required: boolean;
  readonly identity: TlsIdentity | null;
}

const pages = join(import.meta.dirname, '..', 'web', 'dist');
const loopback = ['127.0.0.1', '::1'];

/**
 * Page and API, listening as the settings say, or as close to it as possible: nothing that runs ends because of them. What
 * cannot be served is tried again, and named in the health. The simulation listens only on loopback, needs no token, and does
 * not start if its port is taken, because a person is waiting in front of it.
 */
export class HttpService {
  readonly #options: HttpServiceOptions;
  readonly #certificates: Certificates;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  #wanted: WantedPage | null = null;
  #running: Running | null = null;
  #reach: Reach | null = null;
  #loop: Promise<void> | null = null;
  #wake = Promise.withResolvers<void>();
  #reported = '';
  /** Turns follow one another; this is the last one. */
  readonly #inTurn = pLimit(1);

  constructor(options: HttpServiceOptions) {
    this.#options = options;
    this.#certificates = new Certificates(options);
    const [firstMs, maxMs] = options.retryMs ?? [1000, 60_000];
    this.#backoff = new Backoff({ firstMs, maxMs });
  }

  get reach(): Reach | null {
    return this.#reach;
  }

  /**
   * Brings the server to what the settings say, as far as possible now. Rejects only in a simulation that cannot listen at its
   * first start.
   */
  async apply(config: Config, name: string, role: Role): Promise<void> {
    const { simulation, network } = this.#options;
    const wanted = pageWanted(config, name, role);
    if (this.#stop.signal.aborted || isDeepStrictEqual(wanted, this.#wanted)) return;
    this.#wanted = wanted;
    this.#backoff.reset();
    if (simulation && this.#running === null) await this.#startSimulation(wanted);
    else await this.#takeTurn();
    this.#loop ??= this.#keepServing(network);
    this.#wake.resolve();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake.resolve();
    await this.#loop;
    await this.#inTurn(() => {});
    await this.#end();
    this.#reach = null;
    await rm(this.#options.paths.apiUrl, { force: true });
  }

  async #startSimulation(wanted: WantedPage): Promise<void> {
    const serving = { listen: usable(loopback), tlsPort: null, local: null, port: this.#port(wanted) };
    await this.#start(serving, { upstream: wanted.upstream, required: false, identity: null });
    this.#options.health.ok();
  }

  /** Tries again what cannot be served, looks again when the network changes, and restarts what has ended by itself. */
  async #keepServing(network: NetworkEvents): Promise<void> {
    const { signal } = this.#stop;
    const unsubscribe = network.subscribe(() => this.#wake.resolve());
    while (!signal.aborted) {
      const early = new AbortController();
      const ends = [this.#wake.promise, this.#certificates.changed(early.signal)];
      if (this.#running !== null) ends.push(this.#running.ended);
      if (this.#reported !== '') ends.push(pause(this.#backoff.nextMs(), early.signal));
      await Promise.race(ends);
      early.abort();
      this.#wake = Promise.withResolvers<void>();
      if (signal.aborted) break;
      const before = this.#reach;
      await this.#takeTurn();
      if (!isDeepStrictEqual(before, this.#reach)) this.#options.onReach();
    }
    unsubscribe();
  }

  #takeTurn(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#serveWanted();
      } catch (error) {
        this.#reach = null;
        this.#tell([`${describeError(error)}.`]);
      }
    });
  }

  async #serveWanted(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === null || this.#stop.signal.aborted) return;
    const { http, upstream } = wanted;
    const { simulation } = this.#options;
    const held = this.#running?.serving ?? null;
    const tls = http.tls && !simulation ? await this.#certificates.find(http, wanted.name) : null;
    const serveAt = {
      listen: simulation ? usable(loopback) : http.listen,
      port: this.#port(wanted),
      tlsPort: tls === null ? null : http.tlsPort,
    };
    const { serving, problems } = await planServing(serveAt, held, probeEndpoint);
    const face = { upstream, required: tokensNeeded(http, simulation), identity: tls?.identity ?? null };
    const all = [...problems, ...(tls?.problems ?? [])];
    if (this.#running !== null && isDeepStrictEqual([serving, face], [held, this.#running.face])) {
      return this.#tell(all);
    }
    const trouble = await this.#replace(serving, face);
    this.#tell(trouble === null ? all : [trouble, ...all]);
  }

  /**
   * One server ends before the next one begins, because they may want the same port; if the next one fails, the old one comes
   * back.
   */
  async #replace(serving: Serving, face: Face): Promise<string | null> {
    const old = this.#running;
    await this.#end();
    try {
      await this.#start(serving, face);
      return null;
    } catch (error) {
      if (old !== null) await this.#start(old.serving, old.face);
      else await this.#start({ ...serving, port: null, tlsPort: face.identity && 0, local: 0 }, face);
      return `${describeError(error)}.`;
    }
  }

  async #start(serving: Serving, { upstream, required, identity }: Face): Promise<void> {
    const { ports, keys, version, log, paths } = this.#options;
    const stop = new AbortController();
    const { listen, port, local, tlsPort } = serving;
    const server = new ApiServer({
      ports,
      version,
      pages,
      upstream,
      log,
      listen,
      port,
      local,
      access: { keys, required },
      tls: identity === null || tlsPort === null ? null : { port: tlsPort, identity },
    });
    const running = server.run(stop.signal);
    const ended = running
      .catch((error: unknown) => log.error({ err: error }, 'page and API ended'))
      .then(() => {
        // A server that ended by itself is started again.
        if (this.#running?.stop === stop) this.#running = null;
      });
    // Errors before it listens reject here.
    const opened = await Promise.race([server.opened, running.then(() => Promise.reject(endedEarly()))]);
    const actual = { listen, ...opened };
    this.#running = { serving: actual, face: { upstream, required, identity }, stop, ended };
    this.#reach = reachOf(actual, identity);
    try {
      await writeFileAtomic(paths.apiUrl, `${this.#reach.localUrl}\n`);
    } catch (error) {
      log.warn({ err: error }, 'the address of the API could not be saved for the command line');
    }
  }

  async #end(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    running?.stop.abort();
    await running?.ended;
  }

  #tell(problems: readonly string[]): void {
    const { health, log } = this.#options;
    const reason = problems.join(' ');
    if (this.#running === null) health.failed(reason);
    else if (reason === '') health.ok();
    else health.degraded(reason);
    if (reason !== this.#reported) {
      if (reason === '') log.info('page and API are served as the settings say');
      else log.error({ problems }, 'page and API are not served as the settings say');
    }
    this.#reported = reason;
  }

  #port({ http }: WantedPage): number {
    return this.#options.port ?? http.port;
  }
}

/** What page and API should be; while it is equal, nothing about them changes. */
export function pageWanted(config: Config, name: string, role: Role): WantedPage {
  const { http, gateway } = config;
  const upstream = role === 'hub' ? (gateway.upstream ?? null) : null;
  return { settings: restartKey({ ...config, name, role }, 'page'), http, name, upstream };
}

function endedEarly(): ApplianceError {
  return new ApplianceError('HTTP_ENDED', 'the page and the API ended before they listened');
}

function reachOf(serving: Serving, identity: TlsIdentity | null): Reach {
  const { listen, port, tlsPort, local } = serving;
  return {
    port,
    tlsPort,
    fingerprint: tlsPort === null ? null : (identity?.fingerprint ?? null),
    address: everywhere(listen) ? null : (listen.find((host) => !isLoopback(host)) ?? null),
    outside: isOutside(serving),
    localUrl: `http://127.0.0.1:${local ?? port}`,
  };
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
