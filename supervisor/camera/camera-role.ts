import type { Logger } from 'pino';
import { z } from 'zod';
import { describeError } from '../../common/errors.ts';
import { LogLimiter } from '../../common/log-limiter.ts';
import { pause } from '../../common/pause.ts';
import { resolveConfigPath } from '../config/load.ts';
import { readSecretFile } from '../config/read-setting-file.ts';
import type { Config } from '../config/schema.ts';
import type { StateSection, StateStore } from '../config/state.ts';
import type { AgentDown, AgentUp, ConfirmReason, HubLink } from '../contract/index.ts';
import type { HubEndpoint } from '../discovery/hub-endpoint.ts';
import type { Push } from '../live/media-link.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';
import { type Consent, consentTo, hubKey } from './adoption-consent.ts';
import { type Adoption, type CodeOfHub, requestAdoption } from './adoption-request.ts';
import { HubLinkClient } from './hub-link.ts';
import { type HubCandidate, HubLocator } from './hub-locator.ts';
import { TlsRequiredError } from './hub-refusal.ts';

/** What state.json keeps of the adoption. */
export const adoptionSection = {
  name: 'adoption',
  schema: z.object({
    hubId: z.string().nullable().default(null),
    hubName: z.string().nullable().default(null),
    fingerprint: z.string().nullable().default(null),
    token: z.string().nullable().default(null),
    /** The owner made it forget a hub: the next hub needs the owner's confirmation. */
    hasForgotten: z.boolean().default(false),
  }),
} as const satisfies StateSection<z.ZodObject>;

const nobody = { hubId: null, hubName: null, fingerprint: null, token: null };

const nameIt = 'Name the hub of this camera by camera.hub or camera.tls_fingerprint.';
/** Why a key that was laid beside the settings is shown to no hub. */
const withheld: Readonly<Record<Exclude<Consent, 'given'>, string>> = {
  soon: 'A hub was found. It gets the key of this camera if no other hub is found within 10 s.',
  'several-hubs': `More than one hub is, or was a few minutes ago, on the network. ${nameIt}`,
  'forgot-hub': `This camera was made to forget its hub. ${nameIt}`,
};

type Command = Exclude<AgentDown, { type: 'welcome' | 'ping' }>;
type StatusMessage = Extract<AgentUp, { type: 'status' }>;

/** The code that the owner compares with a hub's page. */
export interface HubCode {
  readonly code: string;
  readonly hubName: string;
  /** Why the owner has to confirm here that this hub is theirs. */
  readonly confirm?: ConfirmReason;
}

/** A hub that is being asked. */
interface Ask {
  readonly hub: HubCandidate;
  code: CodeOfHub | null;
  /** The owner confirmed on this camera that this is their hub. */
  isConfirmed: boolean;
  consent: Consent;
  /** The hub gave the key, which is kept here until the owner consents. */
  readonly agreed: PromiseWithResolvers<boolean>;
}

/** The codes to show: if several hubs were found, each has its own, and the owner's is among them. */
export interface CodeToShow extends HubCode {
  readonly others?: HubCode[];
}

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

const askAgainMs = 2000;
/** A hub that has not answered for this long makes room for others that were found. */
const askForMs = 10 * 60_000;
const maxAsked = 8;

/** What only a camera has: it looks for its hub, gets adopted by it, and holds the link open. */
export class CameraRole {
  readonly #options: CameraRoleOptions;
  readonly #locator: HubLocator;
  readonly #client: HubLinkClient;
  #link: HubLink = { state: 'searching', id: null, name: null, url: null, reason: null };
  readonly #asks = new Set<Ask>();
  #adopted = new AbortController();
  readonly #limiter: LogLimiter;
  #hubTakes = false;
  #fileToken: string | null = null;
  /** Why a hub cannot even be asked for adoption. */
  #cannotAsk: string | null = null;

  constructor(options: CameraRoleOptions) {
    const { settings, self, network, obeysAll, status, onCommand, log } = options;
    this.#options = options;
    this.#limiter = new LogLimiter({ logger: log });
    const pinned = { pinnedId: this.#adoption.hubId, pinnedTls: this.#fingerprint };
    this.#locator = new HubLocator({ override: settings.hub, ...pinned, network, log });
    this.#client = new HubLinkClient({
      locator: this.#locator,
      network,
      obeysAll,
      hello: () => ({ ...self, sources: status().sources }),
      status,
      token: () => this.#token,
      fingerprint: () => this.#fingerprint,
      withhold: (hub) => this.#withhold(hub),
      onCommand,
      onHubTake: (running) => {
        this.#hubTakes = running;
      },
      onState: (link) => this.#setLink(link),
      log,
    });
  }

  get link(): HubLink {
    return this.#link;
  }

  /** The code to compare while this camera asks for adoption. */
  get code(): CodeToShow | null {
    const [first, ...others] = [...this.#asks].flatMap(shownOf);
    if (first === undefined) return null;
    return others.length === 0 ? first : { ...first, others };
  }

  /** Whether the hub records, on any camera; false while the link is down. */
  get hubTakes(): boolean {
    return this.#hubTakes && this.#link.state === 'connected';
  }

  /** Whether it was adopted, or is linked to a hub now. */
  get belongsToHub(): boolean {
    return this.#adoption.hubId !== null || this.#link.state === 'connected';
  }

  /**
   * How the hub is reached now. Null while no hub is known, none that was found can prove to be the known one, or no hub has
   * adopted this camera: its pictures are for its own hub only.
   */
  access(): HubEndpoint | null {
    const hub = this.#locator.current();
    if (hub === null || (this.#token === null && !this.#options.obeysAll)) return null;
    if (this.#withhold(hub) !== null) return null;
    const pin = this.#fingerprint ?? hub.tlsFingerprint;
    if (pin !== null && !hub.url.startsWith('https:')) return null;
    return { url: hub.url, token: this.#token, tlsFingerprint: pin };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { onChange } = this.#options;
    await this.#readToken(signal);
    const unsubscribe = this.#locator.subscribe(() => onChange());
    await Promise.all([this.#locator.run(signal), this.#client.run(signal), this.#askForAdoption(signal)]);
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
    await this.#options.state.update(adoptionSection, ({ hubId, hasForgotten }) => ({
      ...nobody,
      hasForgotten: hasForgotten || hubId !== null,
    }));
    this.#locator.pin(null, this.#fingerprint);
    this.#client.keyChanged();
    this.#options.onChange();
  }

  /** The owner confirms that the hub with this code is theirs. False if this camera shows no such code. */
  confirmHub(code: string): boolean {
    const ask = [...this.#asks].find((one) => one.code?.code === code);
    if (ask === undefined) return false;
    ask.isConfirmed = true;
    this.#options.log.info({ hub: ask.code?.hubName }, 'the owner confirmed the hub on this camera');
    this.#review(ask);
    return true;
  }

  get #adoption() {
    return this.#options.state.get(adoptionSection);
  }

  get #token(): string | null {
    return this.#fileToken ?? this.#adoption.token;
  }

  get #fingerprint(): string | null {
    const set = this.#options.settings.tlsFingerprint;
    return set === undefined ? this.#adoption.fingerprint : set.replaceAll(':', '').toLowerCase();
  }

  #setLink(told: HubLink): void {
    const before = this.#link;
    const cannotAsk = told.state === 'refused' && this.#token === null ? this.#cannotAsk : null;
    const link = { ...told, reason: cannotAsk ?? told.reason };
    this.#link = link;
    if (link.state === 'connected' && before.state !== 'connected') {
      this.#options.onLinked();
      void this.#stayWith(link);
    }
    if (before.state !== link.state || before.url !== link.url || before.reason !== link.reason) {
      this.#options.onChange();
    }
  }

  /** The owner may lay the file beside the settings later, or repair it. */
  async #readToken(signal: AbortSignal): Promise<void> {
    const { settings, configFile, log } = this.#options;
    if (settings.tokenFile === undefined) return;
    const file = resolveConfigPath(configFile, settings.tokenFile);
    while (!signal.aborted && this.#fileToken === null) {
      try {
        this.#fileToken = (await readSecretFile(file)).trim();
      } catch (error) {
        const reason = `camera.token_file cannot be read: ${describeError(error)}`;
        if (reason !== this.#link.reason) log.error({ err: error }, 'the key for the hub cannot be read');
        this.#setLink({ ...this.#link, reason });
        await pause(askAgainMs, signal);
      }
    }
  }

  /**
   * A key that was laid beside the settings goes to the first hub that accepts it, and from then on to no other: anything found
   * over mDNS may only claim to be a hub.
   */
  async #stayWith({ id, name }: HubLink): Promise<void> {
    const hub = this.#locator.current();
    if (this.#fileToken === null || this.#adoption.hubId !== null || hub?.via !== 'mdns' || id === null)
      return;
    const fingerprint = this.#fingerprint ?? hub.tlsFingerprint;
    try {
      await this.#options.state.update(adoptionSection, () => ({ hubId: id, hubName: name, fingerprint }));
      this.#locator.pin(id, fingerprint);
      this.#options.log.info({ hub: name, id }, 'the key of this camera goes to this hub alone from now on');
    } catch (error) {
      this.#options.log.error({ err: error }, 'which hub this camera belongs to cannot be kept');
    }
  }

  /**
   * Whether this camera may be adopted by that hub: no hub has adopted it, or the same hub removed it. The pinned key proves
   * that it is the same one; without TLS its id is all there is, as when it adopted the camera.
   */
  #isNewTo(hub: HubCandidate): boolean {
    // A hub that cannot show the certificate that the settings name is not the owner's.
    if (this.#token === null) return this.#fingerprint === null || hub.url.startsWith('https:');
    const { hubId, fingerprint } = this.#adoption;
    if (this.#fileToken !== null || !this.#client.keyUnknown) return false;
    return fingerprint === null ? hub.id === hubId || hub.via === 'static' : hub.url.startsWith('https:');
  }

  /**
   * A camera that the hub does not know asks for adoption until it gets its key; if several hubs were found, it asks each of
   * them.
   */
  async #askForAdoption(signal: AbortSignal): Promise<void> {
    const asked = new Map<string, Promise<void>>();
    while (!signal.aborted) {
      const mayAsk = this.#link.state === 'refused';
      const hubs = mayAsk ? this.#locator.candidates().filter((hub) => this.#isNewTo(hub)) : [];
      for (const hub of hubs) {
        const key = `${hub.id} ${hub.url}`;
        if (asked.has(key) || asked.size >= maxAsked) continue;
        asked.set(
          key,
          this.#ask(hub, AbortSignal.any([signal, this.#adopted.signal])).finally(() => asked.delete(key)),
        );
      }
      for (const ask of this.#asks) this.#review(ask);
      await pause(askAgainMs, signal);
    }
    await Promise.all(asked.values());
  }

  /** A key that was laid beside the settings is for one hub, which has no code to compare: whether that hub may see it. */
  #withhold(hub: HubCandidate): string | null {
    if (this.#fileToken === null || this.#adoption.hubId !== null) return null;
    const consent = this.#consentTo({ hub, isConfirmed: false });
    return consent === 'given' ? null : withheld[consent];
  }

  #consentTo({ hub, isConfirmed }: Pick<Ask, 'hub' | 'isConfirmed'>): Consent {
    const isSecure = hub.url.startsWith('https:');
    const { settings } = this.#options;
    return consentTo({
      hub: hubKey(hub.id, hub.tlsFingerprint, [hub.url, ...hub.otherUrls]),
      heard: this.#locator.heard(),
      isNamed: settings.tlsFingerprint === undefined ? hub.via === 'static' : isSecure,
      isOwn: this.#token !== null && this.#fingerprint !== null && isSecure,
      isConfirmed,
      hasForgotten: this.#adoption.hasForgotten,
      nowMs: performance.now(),
    });
  }

  /** The hubs that were heard, and for how long, decide whether this hub needs the owner's confirmation on this camera. */
  #review(ask: Ask): void {
    const before = shownOf(ask)[0]?.confirm ?? null;
    ask.consent = this.#consentTo(ask);
    if (ask.consent === 'given') ask.agreed.resolve(true);
    const after = shownOf(ask)[0]?.confirm ?? null;
    if (before === after) return;
    ask.code?.sayConfirm(after);
    this.#options.onChange();
  }

  /** The hub gave the key. The camera takes it once it is certain, or the owner confirms here, that this is their hub. */
  async #mayTake(ask: Ask, signal: AbortSignal): Promise<boolean> {
    this.#review(ask);
    if (ask.consent !== 'given') {
      const fields = { hub: ask.code?.hubName, why: ask.consent };
      this.#limiter.log('warn', 'confirm', fields, 'a hub adopts this camera, which waits for confirmation');
    }
    const never = () => ask.agreed.resolve(false);
    signal.addEventListener('abort', never, { once: true });
    if (signal.aborted) never();
    const isAgreed = await ask.agreed.promise;
    signal.removeEventListener('abort', never);
    return isAgreed;
  }

  /** Asks one hub for adoption. Never rejects. */
  async #ask(hub: HubCandidate, signal: AbortSignal): Promise<void> {
    const { self, onChange } = this.#options;
    const agreed = Promise.withResolvers<boolean>();
    const ask: Ask = { hub, code: null, isConfirmed: false, consent: 'soon', agreed };
    const onCode = (code: CodeOfHub | null) => {
      ask.code = code;
      if (code === null) this.#asks.delete(ask);
      else {
        this.#asks.add(ask);
        const shown = { code: code.code, hubName: code.hubName };
        this.#limiter.log('info', 'code', shown, 'compare this code on the page of the hub');
        this.#review(ask);
      }
      onChange();
    };
    const enough = new AbortController();
    const late = setTimeout(() => enough.abort(), askForMs);
    try {
      const within = AbortSignal.any([signal, enough.signal]);
      const adoption = await requestAdoption(
        { ...hub, tlsFingerprint: this.#fingerprint ?? hub.tlsFingerprint },
        { camera: self, onCode, mayTake: () => this.#mayTake(ask, within) },
        within,
      );
      this.#cannotAsk = null;
      if (adoption !== null && !signal.aborted) await this.#belongTo(adoption);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof TlsRequiredError) {
        this.#cannotAsk = error.message;
        this.#setLink(this.#link);
      }
      const fields = { hub: hub.name, reason: describeError(error) };
      this.#limiter.log('info', 'ask', fields, 'cannot ask for adoption');
    } finally {
      clearTimeout(late);
    }
  }

  async #belongTo(adoption: Adoption): Promise<void> {
    // The first of several hubs wins: no other is asked any more.
    this.#adopted.abort();
    this.#adopted = new AbortController();
    await this.#options.state.update(adoptionSection, () => ({ ...adoption, hasForgotten: false }));
    this.#locator.pin(adoption.hubId, this.#fingerprint);
    this.#client.keyChanged();
    this.#options.log.info({ hub: adoption.hubName }, 'adopted');
    this.#options.onChange();
  }
}

/** What the owner sees of a hub that is asked. */
function shownOf({ code, consent }: Ask): HubCode[] {
  if (code === null) return [];
  const shown = { code: code.code, hubName: code.hubName };
  return [consent === 'given' || consent === 'soon' ? shown : { ...shown, confirm: consent }];
}
