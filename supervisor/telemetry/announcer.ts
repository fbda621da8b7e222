import { pause } from '../../common/pause.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { changeOf } from './dead-band.ts';
import type { Components } from './home-assistant/component.ts';
import { Departures } from './home-assistant/departures.ts';
import {
  cameraUpdateTopics,
  type DiscoveryInput,
  discoveryDocument,
  discoveryInput,
} from './home-assistant/discovery.ts';
import { type Inventory, inventoryOf } from './inventory.ts';
import type { StatusSource } from './ports.ts';
import { type StatePayload, statePayload } from './state-payload.ts';
import { SteadyState } from './steady-state.ts';
import type { TelemetryTiming } from './timing.ts';
import type { Topics } from './topics.ts';
import { cameraUpdatePayloads, type UpdatePayload, updatePayload } from './update-payload.ts';
import type { Wakeup } from './wakeup.ts';

/** What the announcer publishes, and where. */
export interface AnnouncerOptions {
  readonly connection: BrokerConnection;
  readonly topics: Topics;
  readonly status: StatusSource;
  readonly wakeup: Wakeup;
  readonly timing: TelemetryTiming;
  readonly heartbeatMs: number;
  /** Whether Home Assistant gets a discovery document. */
  readonly discovery: boolean;
  /** Entities that are on the broker already; those that do not return are removed. */
  readonly published: Components;
  readonly nowMs: () => number;
  /** On a camera: whether its hub shows its update on the same broker. Two entities would both be pressed by "Update all". */
  readonly isUpdatedByHub?: () => boolean;
}

/** What is to be published, compared with what was published last. */
interface Plan {
  readonly dueInMs: number;
  readonly input: DiscoveryInput;
  readonly inputChanged: boolean;
  readonly state: StatePayload;
  readonly update: UpdatePayload;
  readonly updateChanged: boolean;
  /** A hub's cameras, by key; only those that changed, null for one that is gone. */
  readonly cameraUpdates: Readonly<Record<string, UpdatePayload | null>>;
  readonly onlineDue: boolean;
}

/**
 * Publishes discovery, state and update state over one connection: the document before the state its templates read,
 * the state before "online". One message is under way at a time, so a slow broker is sent the newest state, not a queue.
 */
export class Announcer {
  readonly #options: AnnouncerOptions;
  #inventory: Inventory | null = null;
  #inputKey: string | null = null;
  #state: StatePayload | null = null;
  #update: UpdatePayload | null = null;
  #cameraUpdates: Readonly<Record<string, UpdatePayload>> = {};
  #documentAtMs = Number.NEGATIVE_INFINITY;
  #stateAtMs = Number.NEGATIVE_INFINITY;
  #onlineAtMs = Number.NEGATIVE_INFINITY;
  readonly #departures: Departures;
  readonly #steady = new SteadyState();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#departures = new Departures(options.published, options.timing.departureMs);
  }

  /** The entities in the broker's document now. */
  get published(): Components {
    return this.#departures.living;
  }

  /** Everything is published again at the next turn. */
  reannounce(): void {
    this.#inputKey = null;
    this.#state = null;
    this.#update = null;
    this.#cameraUpdates = {};
    this.#onlineAtMs = Number.NEGATIVE_INFINITY;
    this.#options.wakeup.notify();
  }

  /** Publishes until the signal aborts. Rejects with BrokerLostError when the connection is lost. */
  async run(signal: AbortSignal): Promise<void> {
    const { status, wakeup, timing, heartbeatMs } = this.#options;
    const unsubscribe = status.subscribe(() => wakeup.notify());
    try {
      while (!signal.aborted) {
        const plan = this.#plan();
        if (plan.dueInMs <= 0) await this.#publish(plan);
        await wakeup.wait(plan.dueInMs <= 0 ? heartbeatMs : plan.dueInMs, signal);
        await pause(timing.coalesceMs, signal);
      }
    } finally {
      unsubscribe();
    }
  }

  #plan(): Plan {
    const { status, timing, heartbeatMs, nowMs } = this.#options;
    const now = status.current();
    const inventory = inventoryOf(now, this.#inventory);
    this.#inventory = inventory;
    const input = discoveryInput(now, inventory, status.pageUrl(), this.#options.isUpdatedByHub?.() ?? false);
    const isStale = JSON.stringify(input) !== this.#inputKey || this.#departures.isDue(nowMs());
    const inputChanged = this.#options.discovery && isStale;
    const state = this.#steady.next(this.#state, statePayload(now, status.pageUrl()), nowMs());
    const update = updatePayload(now.update);
    const updateChanged = changeOf(this.#update, update) !== 'none';
    const shown = this.#options.discovery ? cameraUpdatePayloads(now) : {};
    const cameraUpdates = changesOf(this.#cameraUpdates, shown);
    const isNews = updateChanged || inputChanged || Object.keys(cameraUpdates).length > 0;
    const change = isNews ? 'event' : changeOf(this.#state, state);
    const spacingMs = { event: timing.eventIntervalMs, drift: timing.driftIntervalMs, none: heartbeatMs }[
      change
    ];
    const dueAtMs = Math.max(
      this.#stateAtMs + Math.min(spacingMs, heartbeatMs),
      inputChanged ? this.#documentAtMs + timing.discoveryIntervalMs : Number.NEGATIVE_INFINITY,
    );
    const onlineDue = nowMs() - this.#onlineAtMs >= heartbeatMs;
    const next = { input, inputChanged, state, update, updateChanged, cameraUpdates, onlineDue };
    return { dueInMs: dueAtMs - nowMs(), ...next };
  }

  async #publish(plan: Plan): Promise<void> {
    const { input, inputChanged, state, update, updateChanged, onlineDue } = plan;
    const { connection, topics, nowMs } = this.#options;
    const retained = { retain: true, qos: 1 } as const;
    this.#stateAtMs = nowMs();
    if (inputChanged) await this.#publishDocument(input);
    await connection.publish(topics.state, JSON.stringify(state), retained);
    this.#state = state;
    if (updateChanged) await connection.publish(topics.updateState, JSON.stringify(update), retained);
    this.#update = update;
    await this.#publishCameraUpdates(plan.cameraUpdates);
    if (!onlineDue) return;
    await connection.publish(topics.availability, 'online', retained);
    this.#onlineAtMs = nowMs();
  }

  /** An empty retained message removes what a camera left. */
  async #publishCameraUpdates(changes: Plan['cameraUpdates']): Promise<void> {
    const { connection, topics } = this.#options;
    for (const [key, payload] of Object.entries(changes)) {
      const text = payload === null ? '' : JSON.stringify(payload);
      await connection.publish(topics.cameraUpdate(key), text, { retain: true, qos: 1 });
      const { [key]: _, ...others } = this.#cameraUpdates;
      this.#cameraUpdates = payload === null ? others : { ...others, [key]: payload };
    }
  }

  async #publishDocument(input: DiscoveryInput): Promise<void> {
    const { connection, topics, heartbeatMs, nowMs } = this.#options;
    const document = discoveryDocument(input, topics, heartbeatMs / 1000);
    const departed = this.#departures.update(document.components, nowMs());
    const whole = { ...document, components: { ...departed, ...document.components } };
    this.#documentAtMs = nowMs();
    await connection.publish(topics.discovery, JSON.stringify(whole), { retain: true, qos: 1 });
    const removed = Object.entries(departed).filter(([, component]) => Object.keys(component).length === 1);
    // A camera looks there for the hub that shows its update.
    for (const topic of cameraUpdateTopics(Object.fromEntries(removed), topics)) {
      await connection.publish(topic, '', { retain: true, qos: 1 });
    }
    this.#inputKey = JSON.stringify(input);
  }
}

function changesOf(
  before: Readonly<Record<string, UpdatePayload>>,
  now: Readonly<Record<string, UpdatePayload>>,
): Readonly<Record<string, UpdatePayload | null>> {
  const changed = Object.entries(now).filter(([key, payload]) => changeOf(before[key], payload) !== 'none');
  const gone = Object.keys(before).filter((key) => now[key] === undefined);
  return { ...Object.fromEntries(changed), ...Object.fromEntries(gone.map((key) => [key, null])) };
}
