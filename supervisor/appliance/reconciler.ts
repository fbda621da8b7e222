import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import { Advertiser } from '../discovery/advertiser.ts';
import type { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';
import type { ExclusiveRunner } from '../process/exclusive-runner.ts';
import { type ServiceRun, ServiceSlot } from '../process/service-slot.ts';
import { type DesiredState, desiredState } from '../roles/desired-state.ts';
import { cameraFacts } from './camera-facts.ts';
import type { CameraSide } from './camera-side.ts';
import type { GpioPanel } from './gpio-panel.ts';
import type { HttpService } from './http-service.ts';
import type { HubSide } from './hub-side.ts';
import type { Identity } from './identity.ts';
import type { MediaLink } from './media-link.ts';
import { publishOpenPorts } from './open-ports.ts';
import type { PicturePushes } from './picture-pushes.ts';
import type { Pipelines } from './pipelines.ts';
import type { PluggedCameras } from './plugged-cameras.ts';
import type { PortBook } from './port-book.ts';
import type { RemoteFeeds } from './remote-feeds.ts';
import type { RoleKeeper } from './role-keeper.ts';
import type { StillPictures } from './still-pictures.ts';

export interface ReconcilerOptions {
  readonly config: () => Config;
  readonly identity: Identity;
  readonly simulation: boolean;
  readonly role: RoleKeeper;
  readonly gpio: GpioPanel;
  readonly cameras: CameraWatcher;
  readonly plugged: PluggedCameras;
  readonly pipelines: Pipelines;
  readonly remotes: RemoteFeeds;
  readonly still: StillPictures;
  readonly ports: PortBook;
  readonly media: MediaLink;
  readonly picturePushes: PicturePushes;
  readonly network: NetworkEvents;
  readonly http: HttpService;
  readonly hubSide: HubSide;
  readonly newCameraSide: (config: Config) => CameraSide;
  /** Runs what the settings ask for beside the pictures, such as MQTT; null where they ask for none. */
  readonly telemetry: (config: Config) => ServiceRun | null;
  readonly runner: ExclusiveRunner;
  readonly onApplied: (desired: DesiredState) => void;
  readonly log: Logger;
}

/** Brings what runs to what settings, role and hardware ask for. Applying again changes only what differs. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #slots: Readonly<Record<'hub' | 'camera' | 'mdns' | 'mqtt', ServiceSlot>>;
  #cameraSide: CameraSide | null = null;

  constructor(options: ReconcilerOptions) {
    const { log } = options;
    this.#options = options;
    this.#slots = {
      hub: new ServiceSlot('hub', log),
      camera: new ServiceSlot('camera', log),
      mdns: new ServiceSlot('mdns', log),
      mqtt: new ServiceSlot('mqtt', log),
    };
  }

  /** The camera's link to its hub; null on a hub. */
  get cameraSide(): CameraSide | null {
    return this.#cameraSide;
  }

  /** Applies soon; wishes that come meanwhile are applied together. */
  request(): void {
    this.apply().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'the settings cannot be applied');
    });
  }

  apply(): Promise<void> {
    return this.#options.runner.run('apply', () => this.#apply(), { coalesce: true });
  }

  /** Hub, key or address changed: only where the feeds go is set anew. */
  requestPushes(): void {
    this.#configureMedia().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'the media process cannot be configured');
    });
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#slots).map((slot) => slot.close()));
    const { still, remotes, picturePushes } = this.#options;
    await Promise.all([still.close(), remotes.close(), picturePushes.close()]);
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
      onApplied,
    } = this.#options;
    const config = current();
    await gpio.apply(config);
    const { role } = await keeper.decide(config, gpio.jumper);
    const source = [...config.source, ...(await plugged.sources(config))];
    const desired = desiredState({ ...config, source }, role, { cameras: cameraFacts(cameras.known) });
    await publishOpenPorts(config, role, this.#options.log);
    await this.#applyRole(desired, config);
    await pipelines.apply(desired);
    await remotes.apply(desired.remotes);
    await this.#configureMedia();
    await this.#applyServices(desired, config);
    onApplied(desired);
  }

  async #applyRole({ role }: DesiredState, config: Config): Promise<void> {
    const { hubSide, newCameraSide } = this.#options;
    const name = this.#name(config);
    await this.#slots.hub.set(name, role === 'hub' ? (signal) => hubSide.run(signal) : null);
    if (role === 'hub') this.#cameraSide = null;
    await this.#slots.camera.set(
      { name, camera: config.camera },
      role === 'hub'
        ? null
        : (signal) => {
            const side = newCameraSide(config);
            this.#cameraSide = side;
            return side.run(signal);
          },
    );
  }

  async #applyServices(desired: DesiredState, config: Config): Promise<void> {
    const { http, identity, network, simulation, telemetry, log } = this.#options;
    const name = this.#name(config);
    await http.apply(config, name, desired.role);
    const { reach } = http;
    // The simulation answers on loopback alone: announcing it on the network would be a lie.
    if (reach !== null && !simulation) {
      const advertised = {
        ...{ name, id: identity.id, role: desired.role, version: identity.version },
        ...{ port: reach.tlsPort ?? reach.port, tls: reach.fingerprint },
      };
      await this.#slots.mdns.set(advertised, (signal) =>
        new Advertiser({ ...advertised, network, log }).run(signal),
      );
    }
    await this.#slots.mqtt.set({ name, mqtt: config.mqtt }, telemetry(config));
  }

  async #configureMedia(): Promise<void> {
    const { config, media, picturePushes, pipelines } = this.#options;
    const ingests = pipelines.ingests();
    await picturePushes.apply(this.#cameraSide?.picturePushes(pipelines.pictureFeeds()) ?? []);
    const pushes = this.#cameraSide?.pushes(ingests.map(({ feed }) => feed)) ?? [];
    await media.configure({ ...config().media, udpPort: await this.#mediaPort() }, ingests, pushes);
  }

  /** A simulation takes any free port, and keeps it: several may run on one machine. */
  async #mediaPort(): Promise<number> {
    const { simulation, ports, config } = this.#options;
    return simulation ? await ports.portOf('webrtc') : config().media.udpPort;
  }

  #name(config: Config): string {
    return config.name ?? this.#options.identity.defaultName;
  }
}
