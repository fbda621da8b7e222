import type { Logger } from 'pino';
import { Backoff } from '../../common/backoff.ts';
import { describeError } from '../../common/errors.ts';
import type { RestartScope } from '../../common/setting-field.ts';
import { restartKey } from '../config/restart-key.ts';
import type { Config } from '../config/schema.ts';
import { Advertiser, type AdvertiserOptions, NameWatch } from '../discovery/index.ts';
import type { JpegPushes, JpegTaps, MediaLink, Outputs, RemoteFeeds } from '../live/index.ts';
import type { GpioPanel } from '../panel/index.ts';
import type { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import type { MachineName } from '../platform/machine-name.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';
import { ExclusiveRunner } from '../process/exclusive-runner.ts';
import { type ServiceRun, ServiceSlot } from '../process/service-slot.ts';
import { type DesiredState, desiredState } from '../roles/index.ts';
import {
  cameraFacts,
  type Pipelines,
  type PluggedCameras,
  type PortAllocator,
  type SettingControls,
} from '../sources/index.ts';
import type { CurrentRole } from '../system/current-role.ts';
import type { Health, HealthReporter } from '../system/health.ts';
import type { Identity } from '../system/identity.ts';
import type { HttpService } from './http-service.ts';
import type { Now } from './now.ts';
import { publishOpenPorts } from './open-ports.ts';

/** The parts that the reconciler applies settings to. */
export interface ReconcilerOptions {
  readonly config: () => Config;
  readonly identity: Identity;
  readonly simulation: boolean;
  readonly role: CurrentRole;
  readonly gpio: GpioPanel;
  readonly cameras: CameraWatcher;
  readonly plugged: PluggedCameras;
  readonly pipelines: Pipelines;
  readonly controls: SettingControls;
  readonly remotes: RemoteFeeds;
  readonly outputs: Outputs;
  readonly still: JpegTaps;
  readonly ports: PortAllocator;
  readonly media: MediaLink;
  readonly jpegPushes: JpegPushes;
  readonly network: NetworkEvents;
  readonly http: HttpService;
  readonly now: Now;
  /** Parts of only one role. Each of them reports its state to `now`. */
  readonly roles: {
    readonly hub: ServiceRun;
    readonly camera: (config: Config, signal: AbortSignal) => Promise<void>;
  };
  /** Runs what the settings ask for beside the pictures, such as MQTT; null if they ask for nothing. */
  readonly telemetry: (config: Config) => ServiceRun | null;
  /** Announces the appliance; by mDNS unless another way is given. */
  readonly announce?: (what: AdvertiserOptions) => ServiceRun;
  /** What the machine is called; null if that is not ours to say. */
  readonly machineName?: MachineName | null;
  readonly onApplied: (desired: DesiredState) => void;
  readonly health: Health;
  readonly log: Logger;
  /** First and longest pause before a failed apply is tried again, in milliseconds. Default one second and one minute. */
  readonly retryMs?: readonly [number, number];
}

/**
 * Brings what runs to what settings, role and hardware ask for. Applying again changes only what differs. A part that fails is
 * named in the health and tried again, and does not hold up the other parts.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #slots: Readonly<Record<'hub' | 'camera' | 'mdns' | 'name' | 'mqtt', ServiceSlot>>;
  readonly #troubles = new Map<string, HealthReporter>();
  readonly #backoff: Backoff;
  /** Its own: an update that is installed for minutes holds up no camera that is plugged in. */
  readonly #runner = new ExclusiveRunner();
  #retry: NodeJS.Timeout | undefined;
  #applying: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ReconcilerOptions) {
    const { log } = options;
    this.#options = options;
    const [firstMs, maxMs] = options.retryMs ?? [1000, 60_000];
    this.#backoff = new Backoff({ firstMs, maxMs });
    const slot = (name: string) =>
      new ServiceSlot(name, log, { onTrouble: (reason) => this.#note(`${name} service`, reason) });
    this.#slots = {
      hub: slot('hub'),
      camera: slot('camera'),
      mdns: slot('mdns'),
      name: slot('name'),
      mqtt: slot('mqtt'),
    };
  }

  /** Applies soon; requests that come in the meantime are applied together. */
  request(): void {
    this.apply().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'the settings cannot be applied');
    });
  }

  apply(): Promise<void> {
    const apply = () => {
      this.#applying = this.#apply();
      return this.#applying;
    };
    return this.#runner.run('apply', apply, { coalesce: true });
  }

  /** Hub, key or address changed: only the destination of the feeds is set again. */
  requestPushes(): void {
    if (this.#closed) return;
    this.#configureMedia().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'the media process cannot be configured');
    });
  }

  /** Ends everything. A running apply starts nothing more, and is waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    const ended = Object.values(this.#slots).map((slot) => slot.end());
    await this.#applying.catch((error: unknown) => {
      this.#options.log.debug({ err: error }, 'the last apply failed');
    });
    await Promise.all(ended);
    const { still, remotes, jpegPushes } = this.#options;
    await Promise.all([still.close(), remotes.close(), jpegPushes.close()]);
    await this.#options.pipelines.close();
    await this.#options.gpio.close();
    await this.#options.http.close();
  }

  async #apply(): Promise<void> {
    const {
      config: current,
      role: keeper,
      gpio,
      cameras,
      plugged,
      pipelines,
      remotes,
      outputs,
    } = this.#options;
    const config = current();
    const troubled = new Set<string>();
    const part = async (name: string, bring: () => Promise<unknown>) => {
      if (this.#closed) return;
      try {
        await bring();
        this.#note(name, null);
      } catch (error) {
        troubled.add(name);
        this.#options.log.error({ err: error, part: name }, 'the settings cannot be applied to a part');
        this.#note(name, describeError(error));
      }
    };
    await part('gpio', () => gpio.apply(config));
    // A decision that cannot be saved still counts.
    await part('role', () => keeper.decide(config, gpio.jumper));
    await part('cameras', () => plugged.sources(config));
    const { role } = keeper.current;
    const source = [...config.source, ...plugged.decided];
    const desired = desiredState({ ...config, source }, role, { cameras: cameraFacts(cameras.known) });
    await part('link', () => this.#applyRole(desired, config));
    await part('controls', () => this.#options.controls.apply(desired.pipelines));
    await part('pipelines', () => pipelines.apply(desired));
    await part('remotes', () => remotes.apply(desired.remotes));
    await part('outputs', () => outputs.apply(config.output));
    await part('pushes', () => this.#configureMedia());
    // A simulation that cannot listen ends: a person is waiting in front of it, and reads how to start it.
    const http = () => this.#options.http.apply(config, this.#name(config), role);
    if (this.#options.simulation && !this.#closed) await http();
    else await part('page', http);
    await part('firewall', () => this.#publishOpenPorts(config, role));
    await part('machine name', () => this.#applyName(config));
    await part('announcement', () => this.#applyAnnouncement(role, config));
    await part('telemetry', () => this.#applyTelemetry(config, role));
    // Those report in their own status what is wrong.
    this.#retryLater(troubled.size > 0 || pipelines.hasBroken || remotes.hasBroken || outputs.hasBroken);
    if (!this.#closed) this.#options.onApplied(desired);
  }

  #retryLater(isTroubled: boolean): void {
    clearTimeout(this.#retry);
    if (!isTroubled) this.#backoff.reset();
    else if (!this.#closed) this.#retry = setTimeout(() => this.request(), this.#backoff.nextMs());
  }

  /** A part appears in the health only while something is wrong with it. */
  #note(part: string, trouble: string | null): void {
    const known = this.#troubles.get(part);
    if (trouble === null) {
      this.#troubles.delete(part);
      known?.[Symbol.dispose]();
      return;
    }
    const reporter = known ?? this.#options.health.register(part, { core: false });
    this.#troubles.set(part, reporter);
    reporter.failed(trouble);
  }

  async #applyRole({ role }: DesiredState, config: Config): Promise<void> {
    const { now, roles } = this.#options;
    // Parts of the other role have no owner any more, even before their end.
    if (now.role.kind !== role) now.become({ kind: 'starting' });
    await this.#slots.hub.set(this.#keyOf(config, role, 'hub'), role === 'hub' ? roles.hub : null);
    await this.#slots.camera.set(
      this.#keyOf(config, role, 'camera'),
      role === 'camera' ? (signal) => roles.camera(config, signal) : null,
    );
  }

  /** The firewall opens what is served, which may differ from what the settings ask for. */
  async #publishOpenPorts(config: Config, role: DesiredState['role']): Promise<void> {
    const { reach } = this.#options.http;
    if (reach !== null) await publishOpenPorts({ reach, media: config.media }, role, this.#options.log);
  }

  /** A new name counts at once; whether it is ours alone in the network is looked at now and then. */
  async #applyName(config: Config): Promise<void> {
    const { machineName: machine = null, network, log } = this.#options;
    if (machine === null) return;
    const name = this.#name(config);
    await machine.set(name);
    const watch = new NameWatch({
      name,
      machine,
      network,
      log,
      onTrouble: (trouble) => this.#note('name', trouble),
    });
    await this.#slots.name.set({ name }, (signal) => watch.run(signal));
  }

  /** mDNS announces what is served. On loopback only, as in a simulation, there is nothing for others. */
  async #applyAnnouncement(role: DesiredState['role'], config: Config): Promise<void> {
    const { identity, network, simulation, log, http } = this.#options;
    const { reach } = http;
    const port = reach?.tlsPort ?? reach?.port ?? null;
    if (reach === null || port === null || !reach.outside || simulation) {
      return await this.#slots.mdns.set(null, null);
    }
    const advertised = {
      ...{ name: this.#name(config), id: identity.id, role, version: identity.version },
      ...{ port, tls: reach.fingerprint },
    };
    const { announce = byMdns } = this.#options;
    await this.#slots.mdns.set(advertised, announce({ ...advertised, network, log }));
  }

  async #applyTelemetry(config: Config, role: DesiredState['role']): Promise<void> {
    await this.#slots.mqtt.set(this.#keyOf(config, role, 'mqtt'), this.#options.telemetry(config));
  }

  async #configureMedia(): Promise<void> {
    const { config, media, now, jpegPushes, pipelines } = this.#options;
    const ingests = pipelines.ingests();
    await jpegPushes.apply(now.camera?.jpegPushes(pipelines.pictureFeeds()) ?? []);
    const pushes = now.camera?.pushes(ingests) ?? [];
    await media.configure({ ...config().media, udpPort: await this.#mediaPort() }, ingests, pushes);
  }

  /** A simulation takes any free port, and keeps it: several may run on one machine. */
  async #mediaPort(): Promise<number> {
    const { simulation, ports, config } = this.#options;
    return simulation ? await ports.portOf('webrtc') : config().media.udpPort;
  }

  /** The inputs a service is restarted for: the settings that say so, with role and name as they are in force. */
  #keyOf(config: Config, role: DesiredState['role'], service: RestartScope) {
    return restartKey({ ...config, role, name: this.#name(config) }, service);
  }

  #name(config: Config): string {
    return config.name ?? this.#options.identity.defaultName;
  }
}

function byMdns(what: AdvertiserOptions): ServiceRun {
  return (signal) => new Advertiser(what).run(signal);
}
