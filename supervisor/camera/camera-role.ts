import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import type { StateStore } from '../config/state.ts';
import type { AgentDown, AgentUp, HubLink } from '../contract/index.ts';
import type { HubEndpoint } from '../discovery/index.ts';
import type { Push } from '../live/index.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';
import { AdoptionAsks, type CodeToShow } from './adoption-asks.ts';
import type { Consent } from './adoption-consent.ts';
import type { Adoption } from './adoption-request.ts';
import { CameraKey } from './camera-key.ts';
import { HubLinkClient } from './hub-link.ts';
import { type HubCandidate, HubLocator } from './hub-locator.ts';

const nameIt = 'Name the hub of this camera by camera.hub or camera.tls_fingerprint.';
/** Why a key that was laid beside the settings is shown to no hub. */
const withheld: Readonly<Record<Exclude<Consent, 'given'>, string>> = {
  soon: 'A hub was found. It gets the key of this camera if no other hub is found within 10 s.',
  'several-hubs': `More than one hub is, or was a few minutes ago, on the network. ${nameIt}`,
  'forgot-hub': `This camera was made to forget its hub. ${nameIt}`,
};

type Command = Exclude<AgentDown, { type: 'welcome' | 'ping' }>;
type StatusMessage = Extract<AgentUp, { type: 'status' }>;

/** What the camera's side needs of the appliance. */
export interface CameraRoleOptions {
  readonly settings: Config['camera'];
  readonly configFile: string;
  readonly self: { readonly id: string; readonly name: string; readonly version: string };
  readonly state: StateStore;
  readonly network: NetworkEvents;
  /** Whether everyone who reaches this appliance counts as its owner, as in the simulation: any hub may command it, too. */
  readonly obeysAll: boolean;
  readonly status: () => Omit<StatusMessage, 'type' | 'sentAt'>;
  readonly onCommand: (command: Command) => void;
  /** A new link is open: the hub has not heard what was sent while there was none. */
  readonly onLinked: () => void;
  /** The hub, the key or the code to show changed. */
  readonly onChange: () => void;
  readonly log: Logger;
}

/** What only a camera has: it looks for its hub, gets adopted by it, and holds the link open. */
export class CameraRole {
  readonly #options: CameraRoleOptions;
  readonly #locator: HubLocator;
  readonly #client: HubLinkClient;
  #link: HubLink = { state: 'searching', id: null, name: null, url: null, reason: null };
  readonly #key: CameraKey;
  readonly #asks: AdoptionAsks;
  #hubTakes = false;

  constructor(options: CameraRoleOptions) {
    const { settings, configFile, state, self, network, obeysAll, status, onCommand, log } = options;
    this.#options = options;
    this.#key = new CameraKey({ settings, configFile, state, log });
    const pinned = { pinnedId: this.#key.adoption.hubId, pinnedTls: this.#key.fingerprint };
    this.#locator = new HubLocator({ override: settings.hub, ...pinned, network, log });
    this.#client = new HubLinkClient({
      locator: this.#locator,
      network,
      obeysAll,
      hello: () => ({ ...self, sources: status().sources }),
      status,
      token: () => this.#key.token,
      fingerprint: () => this.#key.fingerprint,
      withhold: (hub) => this.#withhold(hub),
      onCommand,
      onHubTake: (running) => {
        this.#hubTakes = running;
      },
      onState: (link) => this.#setLink(link),
      log,
    });
    this.#asks = new AdoptionAsks({
      settings,
      self,
      locator: this.#locator,
      key: this.#key,
      hubs: () => this.#hubsToAsk(),
      onAdopted: (adoption) => this.#belongTo(adoption),
      onCannotAsk: () => this.#setLink(this.#link),
      onChange: () => options.onChange(),
      log,
    });
  }

  get link(): HubLink {
    return this.#link;
  }

  /** The code to compare while this camera asks for adoption. */
  get code(): CodeToShow | null {
    return this.#asks.codes;
  }

  /** Whether the hub records, on any camera; false while the link is down. */
  get hubTakes(): boolean {
    return this.#hubTakes && this.#link.state === 'connected';
  }

  /** Whether it was adopted, or is linked to a hub now. */
  get belongsToHub(): boolean {
    return this.#key.adoption.hubId !== null || this.#link.state === 'connected';
  }

  /**
   * How the hub is reached now. Null while no hub is known, none that was found can prove to be the known one, or no hub has
   * adopted this camera: its pictures are for its own hub only.
   */
  access(): HubEndpoint | null {
    const hub = this.#locator.current();
    if (hub === null || (this.#key.token === null && !this.#options.obeysAll)) return null;
    if (this.#withhold(hub) !== null) return null;
    const pin = this.#key.fingerprint ?? hub.tlsFingerprint;
    if (pin !== null && !hub.url.startsWith('https:')) return null;
    return { url: hub.url, token: this.#key.token, tlsFingerprint: pin };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { onChange } = this.#options;
    await this.#key.read(signal, (reason) => this.#setLink({ ...this.#link, reason }));
    const unsubscribe = this.#locator.subscribe(() => onChange());
    await Promise.all([this.#locator.run(signal), this.#client.run(signal), this.#asks.run(signal)]);
    unsubscribe();
  }

  /** Where each feed goes, and its small layer; none before a hub is known, or while it does not accept this camera. */
  pushes(sent: readonly { readonly feed: string; readonly layer?: 'low' }[]): Push[] {
    const small = sent.filter(({ layer }) => layer === 'low').map(({ feed }) => feed);
    const full = sent.filter(({ layer }) => layer !== 'low').map(({ feed }) => feed);
    return [
      ...this.#targets(full, 'whip'),
      ...this.#targets(small, 'whip').map((push): Push => {
        return { ...push, layer: 'low', url: `${push.url}/layers/low` };
      }),
    ];
  }

  /** The same for feeds of pictures. */
  jpegPushes(feeds: readonly string[]): Push[] {
    return this.#targets(feeds, 'ws/feeds');
  }

  #targets(feeds: readonly string[], path: string): Push[] {
    const hub = this.access();
    if (hub === null || this.#link.state === 'refused' || this.#client.keyUnknown) return [];
    // A hub that was only heard of gets no pictures; one that accepted this camera keeps getting them while the link is opened
    // again.
    const { isProven, isSet } = this.#locator;
    if (!isSet && !isProven && this.#link.state !== 'connected') return [];
    const { token, tlsFingerprint } = hub;
    return feeds.map((feed) => ({ feed, url: `${hub.url}/${path}/${feed}`, token, tlsFingerprint }));
  }

  /** The result of `status` may have changed: the hub gets it at once. */
  statusChanged(): void {
    this.#client.statusChanged();
  }

  send(message: AgentUp): void {
    this.#client.send(message);
  }

  async forgetHub(): Promise<void> {
    await this.#key.forgetHub();
    this.#locator.pin(null, this.#key.fingerprint);
    this.#client.keyChanged();
    this.#options.onChange();
  }

  /** The owner confirms that the hub with this code is theirs. False if this camera shows no such code. */
  confirmHub(code: string): boolean {
    return this.#asks.confirm(code);
  }

  #setLink(stated: HubLink): void {
    const before = this.#link;
    const cannotAsk = stated.state === 'refused' && this.#key.token === null ? this.#asks.cannotAsk : null;
    const link = { ...stated, reason: cannotAsk ?? stated.reason };
    this.#link = link;
    if (link.state === 'connected' && before.state !== 'connected') {
      this.#options.onLinked();
      void this.#stayWith(link);
    }
    if (before.state !== link.state || before.url !== link.url || before.reason !== link.reason) {
      this.#options.onChange();
    }
  }

  /**
   * A key that was laid beside the settings goes to the first hub that accepts it, and from then on to no other: anything found
   * over mDNS may only claim to be a hub.
   */
  async #stayWith({ id, name }: HubLink): Promise<void> {
    const hub = this.#locator.current();
    if (!this.#key.isUnbound || hub?.via !== 'mdns' || id === null) return;
    const fingerprint = this.#key.fingerprint ?? hub.tlsFingerprint;
    try {
      await this.#key.bind(id, name, fingerprint);
      this.#locator.pin(id, fingerprint);
      this.#options.log.info({ hub: name, id }, 'the key of this camera goes to this hub alone from now on');
    } catch (error) {
      this.#options.log.error({ err: error }, 'the hub that this camera belongs to could not be saved');
    }
  }

  /**
   * Whether this camera may be adopted by that hub: no hub has adopted it, or the same hub removed it. The pinned key proves
   * that it is the same one; without TLS its id is all there is, as when it adopted the camera.
   */
  #isNewTo(hub: HubCandidate): boolean {
    // A hub that cannot show the certificate that the settings name is not the owner's.
    if (this.#key.token === null) return this.#key.fingerprint === null || hub.url.startsWith('https:');
    const { hubId, fingerprint } = this.#key.adoption;
    if (this.#key.isFromFile || !this.#client.keyUnknown) return false;
    return fingerprint === null ? hub.id === hubId || hub.via === 'static' : hub.url.startsWith('https:');
  }

  #hubsToAsk(): readonly HubCandidate[] {
    if (this.#link.state !== 'refused') return [];
    return this.#locator.candidates().filter((hub) => this.#isNewTo(hub));
  }

  /** A key that was laid beside the settings is for one hub, which has no code to compare: whether that hub may see it. */
  #withhold(hub: HubCandidate): string | null {
    if (!this.#key.isUnbound) return null;
    const consent = this.#asks.consentTo({ hub, isConfirmed: false });
    return consent === 'given' ? null : withheld[consent];
  }

  async #belongTo(adoption: Adoption): Promise<void> {
    await this.#key.keep(adoption);
    this.#locator.pin(adoption.hubId, this.#key.fingerprint);
    this.#client.keyChanged();
    this.#options.log.info({ hub: adoption.hubName }, 'adopted');
    this.#options.onChange();
  }
}
