import type { Config } from '../config/schema.ts';
import type { Adjust, RolloutStart, Status, Tally, UpdateInstall } from '../contract/index.ts';

/** Source of the one snapshot that everything shows. */
export interface StatusSource {
  current(): Status;
  /** Calls the listener after changes, a few times a second at most. Returns the function that stops it. */
  subscribe(listener: () => void): () => void;
  /** Where a browser on the network finds the page, as it is served; null if it does not. */
  pageUrl(): string | null;
}

/** A role setting that can be commanded. */
export type RoleCommand = 'hub' | 'camera' | 'auto';

/**
 * What can be commanded over MQTT. Every method rejects with an error that has a literal `code` (a `RushlightError`) if the
 * appliance refuses; the sender gets code and message.
 */
export interface ApplianceCommands {
  setRole(role: RoleCommand): Promise<void>;
  /** @param cameras The cameras to record; null: all. */
  startTake(cameras: readonly string[] | null): Promise<void>;
  /** Stops the running take. */
  stopTake(): Promise<void>;
  identify(): Promise<void>;
  restart(action: { readonly force: boolean }): Promise<void>;
  shutdown(action: { readonly force: boolean }): Promise<void>;
  /** Settles once the installation has been accepted; the status shows its progress. */
  installUpdate(request: UpdateInstall): Promise<void>;
  rollbackUpdate(): Promise<void>;
  /** On a hub: updates one camera, by its id. Settles once it is in the rollout. */
  updateCamera(cameraId: string): Promise<void>;
  /** On a hub: updates the cameras, and the hub after them. */
  startRollout(request: RolloutStart): Promise<void>;
  changeRollout(action: 'pause' | 'resume' | 'cancel'): Promise<void>;
  setTally(state: Tally['state']): Promise<void>;
  /** Changes a setting of a source while it runs. */
  adjust(change: Adjust): Promise<void>;
  /** One picture of a feed as it is now: a JPEG file. */
  snapshot(feed: string): Promise<Buffer>;
}

/** A broker found on the network. `url` has the scheme mqtt or mqtts. */
export interface FoundBroker {
  readonly name: string;
  readonly host: string;
  readonly url: string;
}

/** Looks for brokers on the network, the best first. Resolves with an empty list if none answered in time. */
export type BrokerFinder = (signal: AbortSignal) => Promise<readonly FoundBroker[]>;

/** Section `[mqtt]` of rushlight.toml. */
export type MqttSettings = Config['mqtt'];

/** The discovery topics that a broker may still keep a document under. */
export interface DocumentMemory {
  read(): readonly string[];
  /** Never rejects. */
  keep(topics: readonly string[]): Promise<void>;
}

/** The state of the link to the broker, for pages and health. */
export interface TelemetryLink {
  readonly state: 'off' | 'searching' | 'connecting' | 'connected' | 'waiting';
  readonly broker: string | null;
  readonly protocol: '5' | '3.1.1' | null;
  /** Why it is not connected. */
  readonly reason: string | null;
  /** With `url = "auto"`: a broker that was found, and gets nothing before the owner accepts it. */
  readonly found: (FoundBroker & { readonly id: string }) | null;
}
