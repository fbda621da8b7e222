import { type ErrorDetails, RushlightError } from '../../../../common/errors.ts';
import type {
  ConfigView,
  Device,
  Problem,
  Rollout,
  Status,
  Take,
  UnpluggedDevice,
  Update,
} from '../../../contract/index.ts';

/** What can be done with this machine's update. */
export type UpdateAction = 'check' | 'install' | 'rollback';

/** What can be done with the machine. */
export type SystemCall = 'identify' | 'restart' | 'shutdown' | 'factory-reset';

/** Why a call failed. */
export type ApiErrorCode = 'UNREACHABLE' | 'UNAUTHORIZED' | 'FORBIDDEN' | 'REFUSED' | 'UNREADABLE';

/** A call to the appliance that failed. `message` can be shown to the user. */
export class ApiCallError extends RushlightError {
  readonly code: ApiErrorCode;
  /** HTTP status; null if no answer came. */
  readonly status: number | null;
  readonly problem: Problem | null;

  constructor(
    code: ApiErrorCode,
    message: string,
    detail: ErrorDetails & { status?: number; problem?: Problem | null } = {},
  ) {
    super(message, detail);
    this.code = code;
    this.status = detail.status ?? null;
    this.problem = detail.problem ?? null;
  }
}

/** Reads a problem document (RFC 9457); null if the text is not one. */
export const parseProblem = (text: string): Problem | null => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // For example a proxy's HTML page: the HTTP status must be enough.
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { title, status, code } = value as Partial<Problem>;
  if (typeof title !== 'string' || typeof status !== 'number' || typeof code !== 'string') return null;
  return value as Problem;
};

/** The message for a rejected request: what is wrong, and what to do about it. */
export const messageOfProblem = (problem: Problem | null, status: number): string => {
  if (problem === null) return `The appliance answered ${status}.`;
  const said = problem.detail ?? problem.title;
  const sentence = /[.!?]$/.test(said) ? said : `${said}.`;
  return problem.hint === undefined ? sentence : `${sentence} ${problem.hint}`;
};

const codeOfStatus = (status: number): ApiErrorCode =>
  status === 401 ? 'UNAUTHORIZED' : status === 403 ? 'FORBIDDEN' : 'REFUSED';

/** The error of a failed answer. */
const errorOfAnswer = (status: number, body: string): ApiCallError => {
  const problem = parseProblem(body);
  return new ApiCallError(codeOfStatus(status), messageOfProblem(problem, status), { status, problem });
};

/** The body; empty if the connection broke on the way: the HTTP status must be enough then. */
const textOf = (answer: Response): Promise<string> => answer.text().catch(() => '');

const answerTimeoutMs = 10_000;

/** What can be done with a rollout; `start` names the camera that goes first, null leaves it to the hub. */
export type RolloutAction =
  | 'pause'
  | 'resume'
  | 'cancel'
  | { readonly start: string | null }
  | { readonly canary: string }
  | { readonly update: string };

/** The appliance's API, with the browser's cookie as the key. All methods throw ApiCallError. */
export class ApiClient {
  readonly #fetch: typeof fetch;

  constructor(fetchLike: typeof fetch = (input, init) => fetch(input, init)) {
    this.#fetch = fetchLike;
  }

  /** Status, and the appliance's clock at the time of the answer (ms since 1970; null if it sent none). */
  async status(signal: AbortSignal): Promise<{ status: Status; clockMs: number | null }> {
    const answer = await this.#call('GET', '/api/status', { signal });
    const clockMs = Date.parse(answer.headers.get('date') ?? '');
    return { status: await this.#json<Status>(answer), clockMs: Number.isNaN(clockMs) ? null : clockMs };
  }

  async takes(signal: AbortSignal): Promise<Take[]> {
    return this.#json<Take[]>(await this.#call('GET', '/api/takes', { signal }));
  }

  async startTake(): Promise<Take> {
    return this.#json<Take>(await this.#call('POST', '/api/takes', { body: {} }));
  }

  async stopTake(id: string): Promise<Take> {
    return this.#json<Take>(await this.#call('POST', `/api/takes/${encodeURIComponent(id)}/stop`));
  }

  /** Deletes the masters of the appliance that serves this page, for good. */
  async deleteTake(id: string): Promise<void> {
    await this.#call('DELETE', `/api/takes/${encodeURIComponent(id)}`);
  }

  /** Reads the masters of the appliance that serves this page again. */
  async verifyTake(id: string): Promise<Take> {
    return this.#json<Take>(await this.#call('POST', `/api/takes/${encodeURIComponent(id)}/verify`));
  }

  async devices(signal: AbortSignal): Promise<{ devices: Device[]; unplugged: UnpluggedDevice[] }> {
    const [devices, unplugged] = await Promise.all([
      this.#call('GET', '/api/devices', { signal }),
      this.#call('GET', '/api/unplugged-devices', { signal }),
    ]);
    return {
      devices: await this.#json<Device[]>(devices),
      unplugged: await this.#json<UnpluggedDevice[]>(unplugged),
    };
  }

  /** Sets controls by their ids. Returns the camera after that. */
  async setControls(deviceId: string, values: Record<string, number | boolean | string>): Promise<Device> {
    return this.#json<Device>(await this.#call('PUT', devicePath(deviceId, 'controls'), { body: values }));
  }

  async useDevice(deviceId: string, use: boolean): Promise<Device> {
    return this.#json<Device>(await this.#call('PUT', devicePath(deviceId, 'use'), { body: { use } }));
  }

  async labelDevice(deviceId: string, label: string): Promise<Device> {
    return this.#json<Device>(await this.#call('PUT', devicePath(deviceId, 'label'), { body: { label } }));
  }

  async forgetDevice(deviceId: string): Promise<void> {
    await this.#call('DELETE', devicePath(deviceId, 'use'));
  }

  /** The settings, with the tag that names them; null if a proxy has dropped it. */
  async config(signal: AbortSignal): Promise<{ view: ConfigView; tag: string | null }> {
    const answer = await this.#call('GET', '/api/config', { signal });
    return { view: await this.#json<ConfigView>(answer), tag: answer.headers.get('etag') };
  }

  /** Changes the settings, but only those of the tag. */
  async patchConfig(patch: Record<string, unknown>, tag: string | null): Promise<ConfigView> {
    const headers: Record<string, string> = tag === null ? {} : { 'if-match': tag };
    return this.#json<ConfigView>(await this.#call('PATCH', '/api/config', { body: patch, headers }));
  }

  /** Adopts a camera whose code the owner has compared. */
  async adopt(cameraId: string, code: string): Promise<void> {
    await this.#call('POST', `/api/cameras/${encodeURIComponent(cameraId)}/adopt`, { body: { code } });
  }

  /** Accepts the MQTT broker that was found, as it was shown. */
  async acceptBroker(id: string): Promise<void> {
    await this.#call('POST', '/api/mqtt/broker', { body: { id } });
  }

  /** Looks for an update, installs it, or rolls back. Returns the state of updates after that. */
  async update(action: UpdateAction): Promise<Update> {
    const options = action === 'install' ? { body: {} } : {};
    return this.#json<Update>(await this.#call('POST', `/api/update/${action}`, options));
  }

  /** Conducts updates. Returns the rollout after that. */
  async rollout(action: RolloutAction): Promise<Rollout> {
    const { method, path, body } = rolloutCall(action);
    return this.#json<Rollout>(await this.#call(method, path, body === undefined ? {} : { body }));
  }

  /** Orders the machine to blink, to shut down, or to forget everything. */
  async system(action: SystemCall): Promise<void> {
    await this.#call('POST', `/api/system/${action}`, action === 'identify' ? {} : { body: {} });
  }

  async unadopt(cameraId: string): Promise<void> {
    await this.#call('DELETE', `/api/cameras/${encodeURIComponent(cameraId)}/adoption`);
  }

  /** On a camera: the hub with this code is the owner's. */
  async confirmHub(code: string): Promise<void> {
    await this.#call('POST', '/api/hub/confirm', { body: { code } });
  }

  async forgetHub(): Promise<void> {
    await this.#call('DELETE', '/api/hub');
  }

  /** Trades the bearer token for the cookie. */
  async openSession(token: string): Promise<void> {
    await this.#call('POST', '/api/session', { headers: { authorization: `Bearer ${token}` } });
  }

  async closeSession(): Promise<void> {
    await this.#call('DELETE', '/api/session');
  }

  /** The stream of events. It has no time limit: the caller ends it by its signal. */
  async events(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const headers = { accept: 'text/event-stream' };
    const answer = await this.#call('GET', '/api/events', { signal, headers, endless: true });
    if (answer.body === null) throw new ApiCallError('UNREADABLE', 'The appliance sends no events.');
    return answer.body;
  }

  async #call(
    method: string,
    path: string,
    call: { body?: object; headers?: Record<string, string>; signal?: AbortSignal; endless?: boolean } = {},
  ): Promise<Response> {
    const headers = new Headers(call.headers);
    if (call.body !== undefined) headers.set('content-type', 'application/json');
    const signals = [call.signal, call.endless ? undefined : AbortSignal.timeout(answerTimeoutMs)];
    let answer: Response;
    try {
      answer = await this.#fetch(path, {
        method,
        headers,
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal: AbortSignal.any(signals.filter((signal) => signal !== undefined)),
        cache: 'no-store',
        credentials: 'same-origin',
      });
    } catch (cause) {
      throw new ApiCallError('UNREACHABLE', 'The appliance does not answer.', { cause });
    }
    if (!answer.ok) throw errorOfAnswer(answer.status, await textOf(answer));
    return answer;
  }

  async #json<T>(answer: Response): Promise<T> {
    try {
      return (await answer.json()) as T;
    } catch (cause) {
      throw new ApiCallError('UNREADABLE', 'The appliance sent an answer that cannot be read.', { cause });
    }
  }
}

const rolloutCall = (action: RolloutAction): { method: string; path: string; body?: object } => {
  const path = '/api/rollout';
  if (typeof action === 'string') return { method: 'POST', path: `${path}/${action}` };
  if ('canary' in action) {
    return { method: 'PUT', path: `${path}/canary`, body: { camera: action.canary } };
  }
  if ('update' in action) {
    return { method: 'POST', path: `${path}/cameras/${encodeURIComponent(action.update)}/install` };
  }
  return { method: 'POST', path, body: action.start === null ? {} : { canary: action.start } };
};

const devicePath = (id: string, what: 'controls' | 'use' | 'label'): string =>
  `/api/devices/${encodeURIComponent(id)}/${what}`;

/** Address of one segment of a master. */
export const masterUrl = (takeId: string, camera: string, segment: number): string =>
  `/api/takes/${encodeURIComponent(takeId)}/masters/${encodeURIComponent(camera)}?segment=${segment}`;
