import type { RolloutStart, Status, Tally, UpdateInstall } from '../api/contract.ts';
import type { Config } from '../config/schema.ts';

/** Where the one snapshot that everything shows comes from. */
export interface StatusSource {
  current(): Status;
  /** Calls the listener after changes, a few times a second at most. Returns the way to stop it. */
  subscribe(listener: () => void): () => void;
}

export type RoleCommand = 'hub' | 'camera' | 'auto';

/**
 * What can be commanded over MQTT. Every method rejects with an error that has a literal `code`
 * (a `RushlightError`) where the appliance refuses; code and message go back to whoever asked.
 */
export interface ApplianceCommands {
  setRole(role: RoleCommand): Promise<void>;
  /** @param cameras Those to record; null: all. */
  startTake(cameras: readonly string[] | null): Promise<void>;
  /** Stops the running take. */
  stopTake(): Promise<void>;
  identify(): Promise<void>;
  restart(action: { readonly force: boolean }): Promise<void>;
  shutdown(action: { readonly force: boolean }): Promise<void>;
  /** Settles once the installation has been accepted; its progress is told by the status. */
  installUpdate(request: UpdateInstall): Promise<void>;
  rollbackUpdate(): Promise<void>;
  /** On a hub: updates one camera, by its id. Settles once it is in the rollout. */
  updateCamera(cameraId: string): Promise<void>;
  /** On a hub: updates the cameras, and the hub after them. */
  startRollout(request: RolloutStart): Promise<void>;
  changeRollout(action: 'pause' | 'resume' | 'cancel'): Promise<void>;
  setTally(state: Tally['state']): Promise<void>;
  /** One picture of a feed as it is now: a JPEG file. */
  snapshot(feed: string): Promise<Buffer>;
}

/** A broker found on the network. `url` has the scheme mqtt or mqtts. */
export interface FoundBroker {
  readonly name: string;
  readonly url: string;
}

/** Looks for a broker on the network. Resolves with null where none answered in time. */
export type BrokerFinder = (signal: AbortSignal) => Promise<FoundBroker | null>;

/** Section `[mqtt]` of rushlight.toml. */
export type MqttSettings = Config['mqtt'];

/** How the link to the broker stands, for pages and health. */
export interface TelemetryLink {
  readonly state: 'off' | 'searching' | 'connecting' | 'connected' | 'waiting';
  readonly broker: string | null;
  readonly protocol: '5' | '3.1.1' | null;
  /** Why it is not connected. */
  readonly reason: string | null;
}
