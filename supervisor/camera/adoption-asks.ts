import type { Logger } from 'pino';
import { describeError } from '../../common/errors.ts';
import { LogLimiter } from '../../common/log-limiter.ts';
import { pause } from '../../common/pause.ts';
import type { Config } from '../config/schema.ts';
import type { ConfirmReason } from '../contract/index.ts';
import { type Consent, consentTo, hubKey } from './adoption-consent.ts';
import { type Adoption, type CodeOfHub, requestAdoption } from './adoption-request.ts';
import type { CameraKey } from './camera-key.ts';
import type { HubCandidate, HubLocator } from './hub-locator.ts';
import { TlsRequiredError } from './hub-refusal.ts';

/** The code that the owner compares with a hub's page. */
export interface HubCode {
  readonly code: string;
  readonly hubName: string;
  /** Why the owner has to confirm here that this hub is theirs. */
  readonly confirm?: ConfirmReason;
}

/** The codes to show: if several hubs were found, each has its own, and the owner's is among them. */
export interface CodeToShow extends HubCode {
  readonly others?: HubCode[];
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

/** What asking needs of the camera. */
export interface AdoptionAsksOptions {
  readonly settings: Config['camera'];
  readonly self: { readonly id: string; readonly name: string; readonly version: string };
  readonly locator: HubLocator;
  readonly key: CameraKey;
  /** Hubs to ask now. */
  readonly hubs: () => readonly HubCandidate[];
  /** A hub gave the key, and this camera takes it. */
  readonly onAdopted: (adoption: Adoption) => Promise<void>;
  /** `cannotAsk` has a reason now. */
  readonly onCannotAsk: () => void;
  /** The codes to show changed. */
  readonly onChange: () => void;
  readonly log: Logger;
}

const askAgainMs = 2000;
/** A hub that has not answered for this long makes room for others that were found. */
const askForMs = 10 * 60_000;
const maxAsked = 8;

/** Asks hubs for adoption, several at once, and decides whether this camera takes the key that one of them gives. */
export class AdoptionAsks {
  readonly #options: AdoptionAsksOptions;
  readonly #asks = new Set<Ask>();
  readonly #limiter: LogLimiter;
  #adopted = new AbortController();
  #cannotAsk: string | null = null;

  constructor(options: AdoptionAsksOptions) {
    this.#options = options;
    this.#limiter = new LogLimiter({ logger: options.log });
  }

  /** Why a hub cannot even be asked for adoption; null if it can, or none was asked yet. */
  get cannotAsk(): string | null {
    return this.#cannotAsk;
  }

  /** The codes to compare; null while no hub is asked. */
  get codes(): CodeToShow | null {
    const [first, ...others] = [...this.#asks].flatMap(shownOf);
    if (first === undefined) return null;
    return others.length === 0 ? first : { ...first, others };
  }

  /**
   * Until abort. A camera that the hub does not know asks for adoption until it gets its key; if several hubs were found, it asks
   * each of them.
   */
  async run(signal: AbortSignal): Promise<void> {
    const asked = new Map<string, Promise<void>>();
    while (!signal.aborted) {
      for (const hub of this.#options.hubs()) {
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

  /** The owner confirms that the hub with this code is theirs. False if this camera shows no such code. */
  confirm(code: string): boolean {
    const ask = [...this.#asks].find((one) => one.code?.code === code);
    if (ask === undefined) return false;
    ask.isConfirmed = true;
    this.#options.log.info({ hub: ask.code?.hubName }, 'the owner confirmed the hub on this camera');
    this.#review(ask);
    return true;
  }

  /** Whether this camera may trust that hub with its key, or take a key from it, as of now. */
  consentTo({ hub, isConfirmed }: { readonly hub: HubCandidate; readonly isConfirmed: boolean }): Consent {
    const isSecure = hub.url.startsWith('https:');
    const { settings, locator, key } = this.#options;
    return consentTo({
      hub: hubKey(hub.id, hub.tlsFingerprint, [hub.url, ...hub.otherUrls]),
      heard: locator.heard(),
      isNamed: settings.tlsFingerprint === undefined ? hub.via === 'static' : isSecure,
      isOwn: key.token !== null && key.fingerprint !== null && isSecure,
      isConfirmed,
      hasForgotten: key.adoption.hasForgotten,
      nowMs: performance.now(),
    });
  }

  /** The hubs that were heard, and for how long, decide whether this hub needs the owner's confirmation on this camera. */
  #review(ask: Ask): void {
    const before = shownOf(ask)[0]?.confirm ?? null;
    ask.consent = this.consentTo(ask);
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

  #showCode(ask: Ask, code: CodeOfHub | null): void {
    ask.code = code;
    if (code === null) {
      this.#asks.delete(ask);
    } else {
      this.#asks.add(ask);
      const shown = { code: code.code, hubName: code.hubName };
      this.#limiter.log('info', 'code', shown, 'compare this code on the page of the hub');
      this.#review(ask);
    }
    this.#options.onChange();
  }

  /** Asks one hub for adoption. Never rejects. */
  async #ask(hub: HubCandidate, signal: AbortSignal): Promise<void> {
    const { self, key, onAdopted, log } = this.#options;
    const agreed = Promise.withResolvers<boolean>();
    const ask: Ask = { hub, code: null, isConfirmed: false, consent: 'soon', agreed };
    const enough = new AbortController();
    const late = setTimeout(() => enough.abort(), askForMs);
    let adoption: Adoption | null = null;
    try {
      const within = AbortSignal.any([signal, enough.signal]);
      adoption = await requestAdoption(
        { ...hub, tlsFingerprint: key.fingerprint ?? hub.tlsFingerprint },
        {
          camera: self,
          onCode: (code) => this.#showCode(ask, code),
          mayTake: () => this.#mayTake(ask, within),
        },
        within,
      );
      this.#cannotAsk = null;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof TlsRequiredError) {
        this.#cannotAsk = error.message;
        this.#options.onCannotAsk();
      }
      const fields = { hub: hub.name, reason: describeError(error) };
      this.#limiter.log('info', 'ask', fields, 'cannot ask for adoption');
    } finally {
      clearTimeout(late);
    }
    if (adoption === null || signal.aborted) return;
    // The first of several hubs wins: no other is asked any more.
    this.#adopted.abort();
    this.#adopted = new AbortController();
    try {
      await onAdopted(adoption);
    } catch (error) {
      log.error({ err: error }, 'the key of the hub could not be saved; asking again');
    }
  }
}

/** What the owner sees of a hub that is asked. */
function shownOf({ code, consent }: Ask): HubCode[] {
  if (code === null) return [];
  const shown = { code: code.code, hubName: code.hubName };
  return [consent === 'given' || consent === 'soon' ? shown : { ...shown, confirm: consent }];
}
