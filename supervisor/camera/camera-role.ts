import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { describeError } from '../../common/errors.ts';
import { resolveConfigPath } from '../config/load.ts';
import { readSettingFile } from '../config/read-setting-file.ts';
import type { Config } from '../config/schema.ts';
import type { StateSection, StateStore } from '../config/state.ts';
import type { AgentDown, AgentUp, HubLink } from '../contract/index.ts';
import type { HubAccess } from '../discovery/hub-access.ts';
import type { Push } from '../live/media-link.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';
import { requestAdoption } from './adoption-request.ts';
import { HubLinkClient } from './hub-link.ts';
import { type HubCandidate, HubLocator } from './hub-locator.ts';

export const adoptionSection = {
  name: 'adoption',
  schema: z.object({
    hubId: z.string().nullable().default(null),
    hubName: z.string().nullable().default(null),
    fingerprint: z.string().nullable().default(null),
    token: z.string().nullable().default(null),
  }),
} as const satisfies StateSection<z.ZodObject>;

const nobody = { hubId: null, hubName: null, fingerprint: null, token: null };

type Command = Exclude<AgentDown, { type: 'welcome' | 'ping' }>;
type StatusMessage = Extract<AgentUp, { type: 'status' }>;

/** What the owner compares with the hub's page. */
export interface CodeToShow {
  readonly code: string;
  readonly hubName: string;
}

export interface CameraSideOptions {
  readonly settings: Config['camera'];
  readonly configFile: string;
  readonly self: { readonly id: string; readonly name: string; readonly version: string };
  readonly state: StateStore;
  readonly network: NetworkEvents;
  readonly status: () => Omit<StatusMessage, 'type' | 'sentAt'>;
  readonly onCommand: (command: Command) => void;
  /** The link is there, anew: what was said while it was not has not been heard. */
  readonly onLinked: () => void;
  /** The hub, the key or the code to show changed. */
  readonly onChange: () => void;
  readonly log: Logger;
}

const askAgainMs = 2000;

/** What only a camera has: it looks for its hub, is adopted by it, and holds the link open. */
export class CameraSide {
  readonly #options: CameraSideOptions;
  readonly #locator: HubLocator;
  readonly #client: HubLinkClient;
  #link: HubLink = { state: 'searching', id: null, name: null, url: null, reason: null };
  #code: CodeToShow | null = null;
  #hubTakes = false;
  #fileToken: string | null = null;

  constructor(options: CameraSideOptions) {
    const { settings, self, network, status, onCommand, log } = options;
    this.#options = options;
    const pinnedId = this.#adoption.hubId;
    this.#locator = new HubLocator({ override: settings.hub, pinnedId, network, log });
    this.#client = new HubLinkClient({
      ...{ locator: this.#locator, network },
      hello: () => ({ ...self, sources: status().sources }),
      status,
      token: () => this.#token,
      fingerprint: () => this.#fingerprint,
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

  /** The code to compare, while this camera asks to be adopted. */
  get code(): CodeToShow | null {
    return this.#code;
  }

  /** Whether the hub records, on whatever cameras; false while the link is down. */
  get hubTakes(): boolean {
    return this.#hubTakes && this.#link.state === 'connected';
  }

  /** Whether it was adopted, or is linked to a hub now. */
  get belongsToHub(): boolean {
    return this.#adoption.hubId !== null || this.#link.state === 'connected';
  }

  /** How the hub is reached now; null while none is known, or what is found cannot prove to be the one that is. */
  access(): HubAccess | null {
    const hub = this.#locator.current();
    if (hub === null) return null;
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

  /** Where each feed goes; none before a hub is known, or while it does not want this camera. */
  pushes(feeds: readonly string[]): Push[] {
    return this.#targets(feeds, 'whip');
  }

  /** The same for feeds of pictures. */
  picturePushes(feeds: readonly string[]): Push[] {
    return this.#targets(feeds, 'ws/feeds');
  }

  #targets(feeds: readonly string[], path: string): Push[] {
    const hub = this.access();
    if (hub === null || this.#link.state === 'refused') return [];
    const { token, tlsFingerprint } = hub;
    return feeds.map((feed) => ({ feed, url: `${hub.url}/${path}/${feed}`, token, tlsFingerprint }));
  }

  /** What `status` gives may have changed: the hub hears of it at once. */
  statusChanged(): void {
    this.#client.statusChanged();
  }

  send(message: AgentUp): void {
    this.#client.send(message);
  }

  async forgetHub(): Promise<void> {
    await this.#options.state.update(adoptionSection, () => nobody);
    this.#locator.pin(null);
    this.#client.keyChanged();
    this.#options.onChange();
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

  #setLink(link: HubLink): void {
    const before = this.#link;
    this.#link = link;
    if (link.state === 'connected' && before.state !== 'connected') this.#options.onLinked();
    if (before.state !== link.state || before.url !== link.url || before.reason !== link.reason) {
      this.#options.onChange();
    }
  }

  /** The owner may lay the file beside the settings later, or mend it. */
  async #readToken(signal: AbortSignal): Promise<void> {
    const { settings, configFile, log } = this.#options;
    if (settings.tokenFile === undefined) return;
    const file = resolveConfigPath(configFile, settings.tokenFile);
    while (!signal.aborted && this.#fileToken === null) {
      try {
        this.#fileToken = (await readSettingFile(file)).toString('utf8').trim();
      } catch (error) {
        const reason = `camera.token_file cannot be read: ${describeError(error)}`;
        if (reason !== this.#link.reason) log.error({ err: error }, 'the key for the hub cannot be read');
        this.#setLink({ ...this.#link, reason });
        // The only rejection is that of the signal, which the loop looks at.
        await sleep(askAgainMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /**
   * Whether this camera may be adopted by that hub: nobody has adopted it, or the very hub that did removed it. That it is the
   * same one its pinned key proves; without TLS it only says so, as it did when it adopted the camera.
   */
  #isNewTo(hub: HubCandidate): boolean {
    if (this.#token === null) return true;
    const { hubId, fingerprint } = this.#adoption;
    if (this.#fileToken !== null || !this.#client.keyUnknown) return false;
    return fingerprint === null ? hub.id === hubId : hub.url.startsWith('https:');
  }

  /** A camera the hub does not know asks for adoption until it gets its key. */
  async #askForAdoption(signal: AbortSignal): Promise<void> {
    const { self, state, log, onChange } = this.#options;
    while (!signal.aborted) {
      const hub = this.#locator.current();
      if (hub !== null && this.#link.state === 'refused' && this.#isNewTo(hub)) {
        try {
          const onCode = (code: CodeToShow | null) => {
            this.#code = code;
            onChange();
          };
          const adoption = await requestAdoption(
            { ...hub, tlsFingerprint: this.#fingerprint ?? hub.tlsFingerprint },
            { camera: self, onCode, log },
            signal,
          );
          if (adoption !== null) {
            await state.update(adoptionSection, () => adoption);
            this.#locator.pin(adoption.hubId);
            this.#client.keyChanged();
            log.info({ hub: adoption.hubName }, 'adopted');
            onChange();
          }
        } catch (error) {
          log.info({ hub: hub.name, reason: describeError(error) }, 'cannot ask for adoption');
        }
      }
      // The only rejection is that of the signal, which the loop looks at.
      await sleep(askAgainMs, undefined, { signal }).catch(() => {});
    }
  }
}
