import type { Logger } from 'pino';
import { z } from 'zod';
import { describeError } from '../../common/errors.ts';
import { plainFingerprint } from '../../common/fingerprint.ts';
import { pause } from '../../common/pause.ts';
import { resolveConfigPath } from '../config/load.ts';
import { readSecretFile } from '../config/read-setting-file.ts';
import type { Config } from '../config/schema.ts';
import type { StateSection, StateStore } from '../config/state.ts';
import type { Adoption } from './adoption-request.ts';

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

const noHub = { hubId: null, hubName: null, fingerprint: null, token: null };
const readAgainMs = 2000;

/** Where the key comes from. */
export interface CameraKeyOptions {
  readonly settings: Config['camera'];
  readonly configFile: string;
  readonly state: StateStore;
  readonly log: Logger;
}

/** This camera's key, from a file beside the settings or from its adoption, and the one hub it is for. */
export class CameraKey {
  readonly #options: CameraKeyOptions;
  #fileToken: string | null = null;

  constructor(options: CameraKeyOptions) {
    this.#options = options;
  }

  /** The hub that adopted this camera, with its key; fields are null before that. */
  get adoption() {
    return this.#options.state.get(adoptionSection);
  }

  /** The key; null without one. */
  get token(): string | null {
    return this.#fileToken ?? this.adoption.token;
  }

  /** Whether the key was laid beside the settings. */
  get isFromFile(): boolean {
    return this.#fileToken !== null;
  }

  /** A key was laid beside the settings, and is not bound to a hub yet. */
  get isUnbound(): boolean {
    return this.isFromFile && this.adoption.hubId === null;
  }

  /** SHA-256 of the certificate that the hub must show, 64 lower-case hex digits; null if there is none. */
  get fingerprint(): string | null {
    const set = this.#options.settings.tlsFingerprint;
    return set === undefined ? this.adoption.fingerprint : plainFingerprint(set);
  }

  /**
   * Reads the file that the settings name, again and again until it can be read: the owner may lay it beside the settings later,
   * or repair it. `onProblem` gets the reason each time.
   */
  async read(signal: AbortSignal, onProblem: (reason: string) => void): Promise<void> {
    const { settings, configFile, log } = this.#options;
    if (settings.tokenFile === undefined) return;
    const file = resolveConfigPath(configFile, settings.tokenFile);
    let reported = '';
    while (!signal.aborted && this.#fileToken === null) {
      try {
        this.#fileToken = (await readSecretFile(file)).trim();
      } catch (error) {
        const reason = `camera.token_file cannot be read: ${describeError(error)}`;
        if (reason !== reported) log.error({ err: error }, 'the key for the hub cannot be read');
        reported = reason;
        onProblem(reason);
        await pause(readAgainMs, signal);
      }
    }
  }

  /** Keeps what an adoption gave. */
  async keep(adoption: Adoption): Promise<void> {
    await this.#options.state.update(adoptionSection, () => ({ ...adoption, hasForgotten: false }));
  }

  /** Binds a key that was laid beside the settings to one hub. */
  async bind(hubId: string, hubName: string | null, fingerprint: string | null): Promise<void> {
    await this.#options.state.update(adoptionSection, () => ({ hubId, hubName, fingerprint }));
  }

  /** Forgets the hub. If there was one, the next one needs the owner's confirmation. */
  async forgetHub(): Promise<void> {
    await this.#options.state.update(adoptionSection, ({ hubId, hasForgotten }) => ({
      ...noHub,
      hasForgotten: hasForgotten || hubId !== null,
    }));
  }
}
