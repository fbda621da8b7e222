import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { editorText } from '../../common/editor-text.ts';
import { messageOf } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import type { Fetch } from '../channel/channel-client.ts';
import { OtaError } from '../errors.ts';
import type { Assignment } from '../hawkbit/ddi.ts';
import { type AssignmentState, Hawkbit, type HawkbitTarget } from '../hawkbit/hawkbit.ts';
import { readKept, replaceFile } from '../store.ts';
import type { UpdateSettings, UpdateView } from './types.ts';
import type { Updater } from './updater.ts';

const takenSchema = z.object({ actionId: z.string(), version: z.string(), at: z.string() });
type Taken = z.infer<typeof takenSchema>;

/** What the link to hawkBit needs. */
export interface HawkbitLinkOptions {
  readonly updater: Pick<Updater, 'install' | 'cancel' | 'status'>;
  readonly settings: () => UpdateSettings;
  readonly deviceId: string;
  readonly attributes: () => Readonly<Record<string, string>>;
  readonly folder: string;
  readonly fetch: Fetch;
  readonly logger: Logger;
  readonly now: () => Date;
}

/** Lets a hawkBit server manage this machine's updates, while the settings name one. */
export async function runHawkbit(options: HawkbitLinkOptions, signal: AbortSignal): Promise<void> {
  const { settings, deviceId, fetch, logger } = options;
  const target = new UpdaterTarget(options);
  await target.load();
  while (!signal.aborted) {
    const { hawkbitUrl, hawkbitTokenFile } = settings();
    if (hawkbitUrl !== null && hawkbitTokenFile !== null) {
      const ended = new AbortController();
      const watch = endOnChange(options, hawkbitUrl, hawkbitTokenFile, ended, signal);
      try {
        const token = parseToken(editorText(await readFile(hawkbitTokenFile)));
        const client = new Hawkbit({ fetch, url: hawkbitUrl, controllerId: deviceId, token, target, logger });
        await client.run(AbortSignal.any([signal, ended.signal]));
      } catch (error) {
        logger.error({ err: error }, 'the token of hawkBit cannot be read');
        await pause(60_000, signal);
      }
      ended.abort();
      await watch;
    } else {
      await pause(5_000, signal);
    }
  }
}

/** `GatewayToken …` or `TargetToken …`; a token alone is the target's. */
export function parseToken(text: string): { kind: 'TargetToken' | 'GatewayToken'; value: string } {
  const match = /^(GatewayToken|TargetToken)\s+(\S+)$/.exec(text.trim());
  if (match === null) return { kind: 'TargetToken', value: text.trim() };
  return { kind: match[1] as 'TargetToken' | 'GatewayToken', value: match[2] ?? '' };
}

async function endOnChange(
  { settings }: HawkbitLinkOptions,
  url: string,
  tokenFile: string,
  ended: AbortController,
  signal: AbortSignal,
): Promise<void> {
  const either = AbortSignal.any([signal, ended.signal]);
  while (!either.aborted) {
    const now = settings();
    if (now.hawkbitUrl !== url || now.hawkbitTokenFile !== tokenFile) ended.abort();
    await pause(2_000, either);
  }
}

/** Remembers, across the restart of the trial, which action the server asked for. */
export class UpdaterTarget implements HawkbitTarget {
  readonly #options: HawkbitLinkOptions;
  #taken: Taken | null = null;
  #refused: { readonly actionId: string; readonly reason: string } | null = null;

  constructor(options: HawkbitLinkOptions) {
    this.#options = options;
  }

  get #file(): string {
    return join(this.#options.folder, 'hawkbit.json');
  }

  async load(): Promise<void> {
    const parse = (text: string) => takenSchema.parse(JSON.parse(text));
    this.#taken = await readKept(this.#file, parse, this.#options.logger);
  }

  attributes(): Readonly<Record<string, string>> {
    return this.#options.attributes();
  }

  assignmentState({ actionId, version }: Assignment): AssignmentState {
    if (this.#refused?.actionId === actionId) return { type: 'failed', reason: this.#refused.reason };
    if (this.#taken?.actionId !== actionId) return { type: 'unknown' };
    return stateOf(this.#options.updater.status(), version, this.#taken.at);
  }

  begin(assignment: Assignment): void {
    const { updater, logger, now } = this.#options;
    const { actionId, version, url } = assignment;
    const taken = { actionId, version, at: now().toISOString() };
    this.#taken = taken;
    const work = async () => {
      await replaceFile(this.#file, `${JSON.stringify(taken)}\n`);
      await updater.install({ url, force: false, allowDowngrade: false });
    };
    work().catch((error: unknown) => {
      logger.warn({ err: error, actionId }, 'what hawkBit asked for cannot be begun');
      this.#taken = null;
      // Tried again at the next poll: the take or other update ends at some time.
      if (error instanceof OtaError && /^(TAKE_RUNNING|UPDATE_BUSY|TRIAL_RUNNING)$/.test(error.code)) return;
      this.#refused = { actionId, reason: messageOf(error) };
    });
  }

  /** An action that was never begun is cancelled by not beginning it; what others asked for is not the server's to stop. */
  async cancel(actionId: string): Promise<boolean> {
    return this.#taken?.actionId === actionId ? await this.#options.updater.cancel() : true;
  }
}

/** The state of an assignment, from the state of updates. Pure. */
export function stateOf(view: UpdateView, version: string, since: string): AssignmentState {
  const { state, lastAttempt, installedVersion, reason } = view;
  if (['downloading', 'installing', 'armed', 'trial'].includes(state))
    return { type: 'working', detail: state };
  if (lastAttempt !== null && lastAttempt.at >= since) {
    if (lastAttempt.outcome === 'committed') return { type: 'done' };
    return { type: 'failed', reason: lastAttempt.reason ?? lastAttempt.outcome };
  }
  if (installedVersion === version) return { type: 'done' };
  return { type: 'waiting', detail: reason };
}
