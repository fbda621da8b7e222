import type { Logger } from 'pino';
import type {
  Datapath,
  DatapathAddresses,
  DatapathStats,
  DtlsFingerprint,
  IceCandidate,
  MediaTransport,
} from '../datapath.ts';
import { type DatapathOptions, silenceMsOf } from '../datapath-options.ts';
import type { SrtpProfile } from '../srtp/srtp-keys.ts';
import { TransportSet } from '../transport-set.ts';
import { type NativeAddon, srtpProfiles } from './native-binding.ts';
import { NativeCore } from './native-core.ts';
import { NativeListener } from './native-listener.ts';
import { NativeTransport } from './native-transport.ts';

/** After the end of a session: others often end at the same time. */
const TRIM_AFTER_MS = 10_000;

/** Makes one of `Kind`, which may add to what is here. */
export function createNativeDatapath<T extends NativeDatapath>(
  addon: NativeAddon,
  options: DatapathOptions,
  Kind: new (core: NativeCore, options: DatapathOptions, profile: SrtpProfile) => T,
): T {
  const profile = srtpProfiles[addon.fasterProfile()] ?? 'aead-aes-128-gcm';
  options.logger.debug({ profile }, 'the SRTP profile that this processor does faster');
  return new Kind(new NativeCore(addon, options.logger), options, profile);
}

/** The native datapath: one thread of the add-on has sockets, ICE, DTLS, SRTP and all packets. */
export class NativeDatapath implements Datapath {
  readonly core: NativeCore;
  readonly logger: Logger;
  readonly #options: DatapathOptions;
  readonly #profile: SrtpProfile;
  readonly #fingerprint: DtlsFingerprint;
  readonly #listener: NativeListener;
  readonly #transports: TransportSet<NativeTransport>;
  #trimTimer: NodeJS.Timeout | null = null;

  constructor(core: NativeCore, options: DatapathOptions, profile: SrtpProfile) {
    this.core = core;
    this.logger = options.logger;
    this.#options = options;
    this.#profile = profile;
    this.#fingerprint = { algorithm: 'sha-256', value: core.calls.fingerprint() };
    this.#listener = new NativeListener(core, options.logger);
    this.#transports = new TransportSet(options, () => this.#listener.refresh());
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
    this.#transports.listen();
    this.#listener.listen(addresses);
  }

  async openTransport(mode: 'lite' | 'controlling'): Promise<MediaTransport> {
    if (mode === 'lite') await this.#transports.refresh();
    const transport = new NativeTransport({
      core: this.core,
      mode,
      logger: this.logger,
      profile: this.#profile,
      sharedCandidates: () => this.#listener.candidates,
      silenceMs: silenceMsOf(this.#options, mode),
      onClosed: (closed) => this.#forget(closed),
    });
    return this.#transports.add(transport);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#transports.close();
    if (this.#trimTimer !== null) clearTimeout(this.#trimTimer);
    this.#trimTimer = null;
    this.#listener.close();
    this.core[Symbol.dispose]();
  }

  readonly #trim = (): void => {
    this.#trimTimer = null;
    globalThis.gc?.();
    this.core.trimMemory();
  };

  #forget(transport: NativeTransport): void {
    this.#transports.delete(transport);
    this.#trimTimer ??= setTimeout(this.#trim, TRIM_AFTER_MS);
  }
}
