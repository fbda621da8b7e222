import type { Logger } from 'pino';
import type {
  Datapath,
  DatapathAddresses,
  DatapathStats,
  DtlsFingerprint,
  IceCandidate,
  MediaTransport,
} from '../datapath.ts';
import type { NodeDatapathOptions } from '../node/node-datapath.ts';
import type { SrtpProfile } from '../srtp/srtp-keys.ts';
import { type NativeAddon, srtpProfiles } from './native-binding.ts';
import { NativeCore } from './native-core.ts';
import { NativeListener } from './native-listener.ts';
import { NativeTransport } from './native-transport.ts';

const TICK_MS = 250;
const ADDRESS_POLL_MS = 2000;
/** After the end of a session: others often end at the same time. */
const TRIM_AFTER_MS = 10_000;

/** Makes one of `Kind`, which may add to what is here. */
export function createNativeDatapath<T extends NativeDatapath>(
  addon: NativeAddon,
  options: NodeDatapathOptions,
  Kind: new (core: NativeCore, options: NodeDatapathOptions, profile: SrtpProfile) => T,
): T {
  const profile = srtpProfiles[addon.fasterProfile()] ?? 'aead-aes-128-gcm';
  options.logger.debug({ profile }, 'the SRTP profile that this processor does faster');
  return new Kind(new NativeCore(addon, options.logger), options, profile);
}

/** The native datapath: one thread of the add-on has sockets, ICE, DTLS, SRTP and all packets. */
export class NativeDatapath implements Datapath {
  readonly core: NativeCore;
  readonly logger: Logger;
  readonly #options: NodeDatapathOptions;
  readonly #profile: SrtpProfile;
  readonly #fingerprint: DtlsFingerprint;
  readonly #listener: NativeListener;
  readonly #transports = new Set<NativeTransport>();
  #tickTimer: NodeJS.Timeout | null = null;
  #pollTimer: NodeJS.Timeout | null = null;
  #trimTimer: NodeJS.Timeout | null = null;
  /** The port is not bound; it was said once. */
  #unbound = false;

  constructor(core: NativeCore, options: NodeDatapathOptions, profile: SrtpProfile) {
    this.core = core;
    this.logger = options.logger;
    this.#options = options;
    this.#profile = profile;
    this.#fingerprint = { algorithm: 'sha-256', value: core.calls.fingerprint() };
    this.#listener = new NativeListener(core, options.logger);
  }

  get fingerprint(): DtlsFingerprint {
    return this.#fingerprint;
  }

  get bound(): readonly IceCandidate[] {
    return this.#listener.bound;
  }

  get stats(): DatapathStats {
    const { datagramsIn, datagramsOut, datagramsRefused, sendErrors } = this.core.statistics.counters;
    return { transports: this.#transports.size, datagramsIn, datagramsOut, datagramsRefused, sendErrors };
  }

  async listen(addresses: DatapathAddresses): Promise<void> {
    this.#pollTimer ??= setInterval(() => this.#refresh(), ADDRESS_POLL_MS);
    this.#listener.listen(addresses);
  }

  async openTransport(mode: 'lite' | 'controlling'): Promise<MediaTransport> {
    const { logger, peerSilenceMs = 10_000, hubSilenceMs = 3000 } = this.#options;
    if (mode === 'lite') this.#refresh();
    const transport = new NativeTransport({
      core: this.core,
      mode,
      logger,
      profile: this.#profile,
      sharedCandidates: () => this.#listener.candidates,
      silenceMs: mode === 'lite' ? peerSilenceMs : hubSilenceMs,
      onClosed: (closed) => this.#forget(closed),
    });
    this.#transports.add(transport);
    this.#tickTimer ??= setInterval(this.#tick, TICK_MS);
    return transport;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#pollTimer !== null) clearInterval(this.#pollTimer);
    this.#pollTimer = null;
    for (const transport of [...this.#transports]) transport.close('datapath-closed');
    if (this.#trimTimer !== null) clearTimeout(this.#trimTimer);
    this.#trimTimer = null;
    this.#listener.close();
    this.core[Symbol.dispose]();
  }

  /** Follows the machine's addresses: an answer must name the one that it has since a moment ago. */
  #refresh(): void {
    try {
      this.#listener.refresh();
      this.#unbound = false;
    } catch (error) {
      if (!this.#unbound) this.logger.warn({ err: error }, 'the media port is not bound; trying again');
      this.#unbound = true;
    }
  }

  readonly #tick = (): void => {
    const nowMs = performance.now();
    for (const transport of [...this.#transports]) transport.tick(nowMs);
  };

  readonly #trim = (): void => {
    this.#trimTimer = null;
    globalThis.gc?.();
    this.core.trimMemory();
  };

  #forget(transport: NativeTransport): void {
    this.#transports.delete(transport);
    this.#trimTimer ??= setTimeout(this.#trim, TRIM_AFTER_MS);
    if (this.#transports.size > 0 || this.#tickTimer === null) return;
    clearInterval(this.#tickTimer);
    this.#tickTimer = null;
  }
}
