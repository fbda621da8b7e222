import type { ConfigView, Device, NewCamera, Take } from '../../../contract/index.ts';
import { type ControlValue, switchDefaults, valueDefaults } from '../cameras/control-view.ts';
import { awayFeeds, plugNews, presentFeeds } from '../live/away-feeds.ts';
import { PlayerPool } from '../live/player-pool.ts';
import { isNewest } from '../system/rollout-words.ts';
import {
  ApiCallError,
  type ApiClient,
  type RolloutAction,
  type SystemCall,
  type UpdateAction,
} from './api-client.ts';
import { type AppAction, type AppState, initialState, reduce } from './app-state.ts';
import { OvertakenError } from './form-edits.ts';
import { StatusLink } from './status-link.ts';
import { Store } from './store.ts';

/** A short message for the user. */
export interface Notice {
  readonly id: number;
  readonly text: string;
}

/** Pages that change settings all the time, such as a script, do not keep this one waiting. */
const configAttempts = 5;

const isOvertaken = (error: unknown): boolean =>
  error instanceof ApiCallError && error.problem?.code === 'CONFIG_CHANGED';

/** The page without its looks: state, link to the appliance, players, and the user's actions. */
export class AppController {
  readonly state = new Store<AppState>(initialState);
  readonly notice = new Store<Notice | null>(null);
  readonly players = new PlayerPool();
  readonly #api: ApiClient;
  #unlocked: (() => void) | null = null;
  #askAgain: (() => void) | null = null;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** Runs until the signal aborts; then all sessions are ended. `token` is a key to try first. */
  async run(signal: AbortSignal, token: string | null): Promise<void> {
    signal.addEventListener('abort', () => this.players.clear(), { once: true });
    if (token !== null) await this.#unlockWith(token);
    while (!signal.aborted) {
      const again = new AbortController();
      this.#askAgain = () => again.abort();
      const link = new StatusLink(this.#api, (action) => this.#dispatch(action));
      await link.run(AbortSignal.any([signal, again.signal]));
      if (signal.aborted) return;
      if (this.state.value.link.kind === 'locked') await this.#unlocking(signal);
    }
  }

  /** Trades a key for the session. Throws ApiCallError. */
  async login(token: string): Promise<void> {
    await this.#api.openSession(token);
    this.#unlocked?.();
  }

  /** Drops the session, and asks for a key again. */
  async logout(): Promise<void> {
    await this.#act('forget the key', async () => {
      await this.#api.closeSession();
      location.reload();
    });
  }

  async startTake(): Promise<void> {
    await this.#act('record', async () => this.#tellTake(await this.#api.startTake()));
  }

  async stopTake(id: string): Promise<void> {
    await this.#act('record', async () => this.#tellTake(await this.#api.stopTake(id)));
  }

  async deleteTake(id: string): Promise<void> {
    await this.#act('delete takes', () => this.#api.deleteTake(id));
  }

  async verifyTake(id: string): Promise<void> {
    await this.#act('check takes', async () => this.#tellTake(await this.#api.verifyTake(id)));
  }

  async adopt(camera: NewCamera): Promise<void> {
    await this.#act('adopt cameras', () => this.#api.adopt(camera.id, camera.code));
  }

  async acceptBroker(id: string): Promise<void> {
    await this.#act('accept brokers', () => this.#api.acceptBroker(id));
  }

  /** Removes a camera's key. */
  async unadopt(cameraId: string): Promise<void> {
    await this.#act('remove cameras', () => this.#api.unadopt(cameraId));
  }

  /** On a camera: the hub with this code may adopt it. */
  async confirmHub(code: string): Promise<void> {
    await this.#act('confirm the hub', () => this.#api.confirmHub(code));
  }

  /** On a camera: the next hub needs a confirmation here. */
  async forgetHub(): Promise<void> {
    await this.#act('change the hub', () => this.#api.forgetHub());
  }

  /** Uses a plugged-in camera as a feed, or leaves it alone. */
  async useDevice(id: string, use: boolean): Promise<void> {
    await this.#act('choose cameras', async () => this.#tellDevice(await this.#api.useDevice(id, use)));
  }

  async labelDevice(id: string, label: string): Promise<void> {
    await this.#act('name cameras', async () => this.#tellDevice(await this.#api.labelDevice(id, label)));
  }

  async forgetDevice(id: string): Promise<void> {
    await this.#act('forget cameras', async () => {
      await this.#api.forgetDevice(id);
      this.#dispatch({ type: 'device-forgotten', id });
    });
  }

  async setControls(id: string, values: Record<string, ControlValue>): Promise<void> {
    await this.#act('set cameras', async () => this.#tellDevice(await this.#api.setControls(id, values)));
  }

  /** Switches first: they decide which of the other controls the camera takes back to their defaults. */
  async resetControls(device: Device): Promise<void> {
    await this.#act('set cameras', async () => {
      let now = device;
      for (const defaults of [switchDefaults, valueDefaults]) {
        const values = defaults(now);
        if (Object.keys(values).length === 0) continue;
        now = await this.#api.setControls(device.id, values);
        this.#tellDevice(now);
      }
    });
  }

  /** The settings in force; null if the key may not see them. Throws ApiCallError for anything else. */
  async config(signal: AbortSignal): Promise<ConfigView | null> {
    try {
      return (await this.#api.config(signal)).view;
    } catch (error) {
      if (error instanceof ApiCallError && error.problem?.code === 'ACCESS_DENIED') return null;
      if (error instanceof ApiCallError && error.code === 'UNAUTHORIZED') this.#askAgain?.();
      throw error;
    }
  }

  /**
   * Changes settings; null if that was rejected, and reported. A list is set as a whole, so the change is made from the present
   * settings: what the file or another page has added meanwhile must not be undone. If they change at the very moment, the same
   * change is made again, from what they are then.
   */
  async changeConfig(change: (config: ConfigView) => Record<string, unknown>): Promise<ConfigView | null> {
    let view: ConfigView | null = null;
    await this.#act('change settings', async () => {
      for (let attempt = 1; view === null; attempt += 1) {
        const now = await this.#api.config(AbortSignal.timeout(10_000));
        try {
          view = await this.#api.patchConfig(change(now.view), now.tag);
          if (attempt > 1)
            this.#notify(
              'The settings were changed elsewhere at the same time. Yours was made on top of that.',
            );
        } catch (error) {
          if (!isOvertaken(error) || attempt === configAttempts) throw error;
        }
      }
    });
    return view;
  }

  /** Looks for an update of this machine, installs it, or rolls it back. */
  async update(action: UpdateAction): Promise<void> {
    await this.#act('install updates', async () => {
      const update = await this.#api.update(action);
      if (action === 'check' && isNewest(update))
        this.#notify(`${update.installedVersion} is the newest version.`);
    });
  }

  /** Orders the machine to blink, to shut down, or to forget everything. */
  async system(action: SystemCall): Promise<void> {
    await this.#act('control the machine', () => this.#api.system(action));
  }

  /** Conducts the updates of cameras and hub. */
  async rollout(action: RolloutAction): Promise<void> {
    await this.#act('install updates', async () => {
      const rollout = await this.#api.rollout(action);
      this.#dispatch({ type: 'event', event: { type: 'rollout', rollout } });
    });
  }

  #tellDevice(device: Device): void {
    this.#dispatch({ type: 'event', event: { type: 'device-changed', device } });
  }

  #tellTake(take: Take): void {
    this.#dispatch({ type: 'event', event: { type: 'take', take } });
  }

  /** Does what the user asked for, or says why not. */
  async #act(right: string, call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      if (error instanceof OvertakenError) return this.#notify(error.message);
      if (!(error instanceof ApiCallError)) throw error;
      const denied = error.problem?.code === 'ACCESS_DENIED';
      const keyless = error.code === 'UNAUTHORIZED';
      const why = keyless ? 'this browser no longer has a valid key.' : error.message;
      this.#notify(denied ? `Your key may watch, but not ${right}.` : `Not done: ${why}`);
      // Another tab dropped its key: the open event stream does not notice, and the page must ask for a key.
      if (keyless) this.#askAgain?.();
    }
  }

  #notify(text: string): void {
    this.notice.set({ id: (this.notice.value?.id ?? 0) + 1, text });
  }

  #dispatch(action: AppAction): void {
    const wasLost = this.state.value.link.kind === 'lost';
    const news = action.type === 'event' ? plugNews(action.event, this.state.value) : null;
    this.state.set(reduce(this.state.value, action));
    const { link, status } = this.state.value;
    if (wasLost && link.kind === 'open') this.players.retry();
    if (link.kind === 'locked') this.players.clear();
    // A feed that is away keeps its player: a user who looks at it can stay.
    else if (status !== null) {
      const away = awayFeeds(this.state.value.unplugged);
      this.players.sync([...presentFeeds(status.feeds, away), ...away]);
    }
    if (news !== null) this.#notify(news);
  }

  async #unlockWith(token: string): Promise<void> {
    try {
      await this.#api.openSession(token);
    } catch (error) {
      if (!(error instanceof ApiCallError)) throw error;
      const refused = error.code === 'UNAUTHORIZED' || error.code === 'FORBIDDEN';
      // An older session may still open the page.
      this.#notify(refused ? 'The key in the link was refused.' : error.message);
    }
  }

  #unlocking(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#unlocked = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
