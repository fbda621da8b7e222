import type { NewCamera, Take } from '../../api/contract.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import { type AppAction, type AppState, initialState, reduce } from './app-state.ts';
import { PlayerPool } from './player-pool.ts';
import { StatusLink } from './status-link.ts';
import { Store } from './store.ts';

/** What the page tells the user in passing. */
export interface Notice {
  readonly id: number;
  readonly text: string;
}

/** The page without its looks: state, link to the appliance, players, and what the user can do. */
export class AppController {
  readonly state = new Store<AppState>(initialState);
  readonly notice = new Store<Notice | null>(null);
  readonly players = new PlayerPool();
  readonly #api: ApiClient;
  #unlocked: (() => void) | null = null;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** Runs until the signal aborts; then all sessions are ended. `token` is a key to try first. */
  async run(signal: AbortSignal, token: string | null): Promise<void> {
    signal.addEventListener('abort', () => this.players.clear(), { once: true });
    if (token !== null) await this.#unlockWith(token);
    while (!signal.aborted) {
      await new StatusLink(this.#api, (action) => this.#dispatch(action)).run(signal);
      if (signal.aborted) return;
      await this.#unlocking(signal);
    }
  }

  /** Trades a key for the session. Throws ApiError. */
  async login(token: string): Promise<void> {
    await this.#api.openSession(token);
    this.#unlocked?.();
  }

  /** Drops the session; the caller reloads the page. Throws ApiError. */
  async logout(): Promise<void> {
    await this.#api.closeSession();
  }

  async startTake(): Promise<void> {
    await this.#act('record', async () => this.#tellTake(await this.#api.startTake()));
  }

  async stopTake(id: string): Promise<void> {
    await this.#act('record', async () => this.#tellTake(await this.#api.stopTake(id)));
  }

  async adopt(camera: NewCamera): Promise<void> {
    await this.#act('adopt cameras', () => this.#api.adopt(camera.id, camera.code));
  }

  #tellTake(take: Take): void {
    this.#dispatch({ type: 'event', event: { type: 'take', take } });
  }

  /** Does what the user asked for, or says why it was not done. */
  async #act(right: string, call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const denied = error.problem?.code === 'ACCESS_DENIED';
      const text = denied ? `Your key may watch, but not ${right}.` : `Not done: ${error.message}`;
      this.notice.set({ id: (this.notice.value?.id ?? 0) + 1, text });
    }
  }

  #dispatch(action: AppAction): void {
    const wasLost = this.state.value.link.kind === 'lost';
    this.state.set(reduce(this.state.value, action));
    const { link, status } = this.state.value;
    if (wasLost && link.kind === 'open') this.players.retry();
    if (link.kind === 'locked') this.players.clear();
    else if (status !== null) this.players.sync(status.feeds);
  }

  async #unlockWith(token: string): Promise<void> {
    try {
      await this.#api.openSession(token);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const refused = error.code === 'UNAUTHORIZED' || error.code === 'FORBIDDEN';
      // An older session may still open the page; if not, the login panel says so.
      this.notice.set({ id: 1, text: refused ? 'The key in the link was refused.' : error.message });
    }
  }

  #unlocking(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#unlocked = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
