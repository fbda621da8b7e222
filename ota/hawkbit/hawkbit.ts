import type { Logger } from 'pino';
import type { z } from 'zod';
import { messageOf } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import type { Fetch } from '../channel/channel-client.ts';
import { OtaError } from '../errors.ts';
import {
  type Assignment,
  assignmentOf,
  cancelSchema,
  controllerBaseSchema,
  deploymentSchema,
  type Feedback,
  parseSleep,
} from './ddi.ts';

/** The state of an assignment, as far as this machine knows it. */
export type AssignmentState =
  | { readonly type: 'unknown' }
  | { readonly type: 'waiting' | 'working'; readonly detail: string | null }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly reason: string };

/** The side of this machine; the updater implements it. */
export interface HawkbitTarget {
  /** Attributes the server may sort by: version, board, role. */
  attributes(): Readonly<Record<string, string>>;
  assignmentState(assignment: Assignment): AssignmentState;
  /** Begins it unless it was begun; returns at once. */
  begin(assignment: Assignment): void;
  /** Stops what can still be stopped; false if it is too late. */
  cancel(actionId: string): Promise<boolean>;
}

const FALLBACK_SLEEP_MS = 300_000;

/** A thin client of hawkBit's device API: polls, passes on what is assigned, reports the result. */
export class Hawkbit {
  readonly #fetch: Fetch;
  readonly #base: string;
  readonly #token: { readonly kind: 'TargetToken' | 'GatewayToken'; readonly value: string };
  readonly #target: HawkbitTarget;
  readonly #logger: Logger;
  readonly #timeoutMs: number;
  readonly #maxSleepMs: number;
  #reported = '';

  /** @param options.url base with the tenant, as in `https://hawkbit.example/DEFAULT` */
  constructor(options: {
    fetch: Fetch;
    url: string;
    controllerId: string;
    token: { kind: 'TargetToken' | 'GatewayToken'; value: string };
    target: HawkbitTarget;
    logger: Logger;
    timeoutMs?: number;
    maxSleepMs?: number;
  }) {
    this.#fetch = options.fetch;
    const base = options.url.replace(/\/+$/, '');
    this.#base = `${base}/controller/v1/${encodeURIComponent(options.controllerId)}`;
    this.#token = options.token;
    this.#target = options.target;
    this.#logger = options.logger;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#maxSleepMs = options.maxSleepMs ?? 86_400_000;
  }

  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      let waitMs: number;
      try {
        waitMs = await this.poll(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        failures++;
        if (failures === 1) this.#logger.warn({ err: error }, 'hawkBit does not answer as expected');
        waitMs = Math.min(FALLBACK_SLEEP_MS, 10_000 * 2 ** Math.min(failures, 5));
      }
      // Not all of a fleet at the same instant.
      const jittered = Math.min(waitMs, this.#maxSleepMs) * (0.9 + Math.random() * 0.2);
      await pause(jittered, signal);
    }
  }

  /**
   * One round with the server. Returns the time to wait until the next, in ms.
   * @throws {OtaError} `HAWKBIT_REFUSED` (401, 403), `HAWKBIT_PROTOCOL`
   */
  async poll(signal: AbortSignal): Promise<number> {
    const base = await this.#get(this.#base, controllerBaseSchema, signal);
    const { deploymentBase, cancelAction, configData } = base._links;
    if (configData !== undefined) await this.#sendAttributes(configData.href, signal);
    if (cancelAction !== undefined) await this.#cancel(cancelAction.href, signal);
    else if (deploymentBase !== undefined) await this.#deployment(deploymentBase.href, signal);
    return parseSleep(base.config?.polling.sleep ?? '') ?? FALLBACK_SLEEP_MS;
  }

  async #deployment(url: string, signal: AbortSignal): Promise<void> {
    const deployment = await this.#get(url, deploymentSchema, signal);
    const feedbackUrl = `${this.#base}/deploymentBase/${encodeURIComponent(deployment.id)}/feedback`;
    const assignment = assignmentOf(deployment);
    if (assignment === null) {
      await this.#report(
        feedbackUrl,
        feedback('closed', 'failure', 'the deployment holds no single .raucb bundle'),
        signal,
      );
      return;
    }
    const state = this.#target.assignmentState(assignment);
    if (state.type === 'unknown' && assignment.mayInstall && assignment.update !== 'skip') {
      this.#target.begin(assignment);
    }
    await this.#report(feedbackUrl, feedbackOf(this.#target.assignmentState(assignment)), signal);
  }

  async #cancel(url: string, signal: AbortSignal): Promise<void> {
    const { id, cancelAction } = await this.#get(url, cancelSchema, signal);
    const cancelled = await this.#target.cancel(cancelAction.stopId);
    const body = cancelled
      ? feedback('closed', 'success', 'cancelled')
      : feedback('rejected', 'none', 'the installation has gone too far to be cancelled');
    await this.#report(`${this.#base}/cancelAction/${encodeURIComponent(id)}/feedback`, body, signal);
  }

  async #sendAttributes(url: string, signal: AbortSignal): Promise<void> {
    const data = this.#target.attributes();
    await this.#request(url, 'PUT', { mode: 'merge', data }, signal);
  }

  /** The same report is not sent twice: the server stores each. */
  async #report(url: string, body: Feedback, signal: AbortSignal): Promise<void> {
    const word = `${url} ${JSON.stringify(body)}`;
    if (word === this.#reported) return;
    await this.#request(url, 'POST', body, signal);
    this.#reported = word;
  }

  async #get<T>(url: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    const response = await this.#request(url, 'GET', undefined, signal);
    try {
      return schema.parse(await response.json());
    } catch (cause) {
      throw new OtaError(
        'HAWKBIT_PROTOCOL',
        `hawkBit answered in another form: ${messageOf(cause).slice(0, 200)}`,
        {
          cause,
        },
      );
    }
  }

  /** An address that the server named, at the server itself: behind a proxy it may not know its own address. */
  #own(url: string): string {
    const base = new URL(this.#base);
    const named = URL.parse(url, base.href);
    if (named === null || named.hostname !== base.hostname) {
      throw new OtaError('HAWKBIT_PROTOCOL', `hawkBit leads to another server: ${url.slice(0, 200)}`);
    }
    return `${base.origin}${named.pathname}${named.search}`;
  }

  async #request(url: string, method: string, body: unknown, signal: AbortSignal): Promise<Response> {
    const target = this.#own(url);
    let response: Response;
    try {
      response = await this.#fetch(target, {
        method,
        // The token is only for this server, wherever its answers lead.
        redirect: 'error',
        headers: {
          accept: 'application/hal+json',
          authorization: `${this.#token.kind} ${this.#token.value}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]),
      });
    } catch (cause) {
      throw new OtaError('HAWKBIT_PROTOCOL', 'hawkBit cannot be reached', { cause });
    }
    if (response.status === 401 || response.status === 403) {
      throw new OtaError('HAWKBIT_REFUSED', 'hawkBit does not accept the token');
    }
    if (!response.ok)
      throw new OtaError('HAWKBIT_PROTOCOL', `hawkBit answered ${response.status} to ${method}`);
    return response;
  }
}

function feedback(
  execution: Feedback['status']['execution'],
  finished: Feedback['status']['result']['finished'],
  detail: string | null,
): Feedback {
  return { status: { execution, result: { finished }, details: detail === null ? [] : [detail] } };
}

function feedbackOf(state: AssignmentState): Feedback {
  switch (state.type) {
    case 'unknown':
      return feedback('scheduled', 'none', 'waits for the maintenance window');
    case 'waiting':
      return feedback('scheduled', 'none', state.detail);
    case 'working':
      return feedback('proceeding', 'none', state.detail);
    case 'done':
      return feedback('closed', 'success', null);
    case 'failed':
      return feedback('closed', 'failure', state.reason);
  }
}
