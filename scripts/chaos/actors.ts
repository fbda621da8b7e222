import { pause } from '../../common/pause.ts';
import type { Take } from '../../supervisor/contract/index.ts';
import type { BrokerKeeper } from './broker-keeper.ts';
import type { KeyBook } from './key-book.ts';
import type { Deed, Press } from './plan.ts';
import type { ProcessWatch } from './process-watch.ts';
import type { Report } from './report.ts';
import { type Stage, sourceOf } from './stage.ts';
import { changedSettings, diskRules } from './troubles.ts';

/** What actors act on. */
export interface ActorOptions {
  readonly stage: Stage;
  readonly watch: ProcessWatch;
  readonly broker: BrokerKeeper;
  readonly keys: KeyBook;
  readonly report: Report;
}

type DeedOf<Kind extends Deed['kind']> = Extract<Deed, { kind: Kind }>;

/** Does what the plan says. Each deed resolves to its result, in a few words. */
export class Actors {
  readonly #options: ActorOptions;
  readonly #devices = new Map<string, string>();

  constructor(options: ActorOptions) {
    this.#options = options;
  }

  /** Learns what presses over MQTT need to know. */
  async prepare(): Promise<void> {
    for (const name of ['hub', 'camera'] as const) {
      this.#devices.set(name, (await this.#options.stage.status(name)).device.id);
    }
  }

  async act(deed: Deed, signal: AbortSignal): Promise<string> {
    switch (deed.kind) {
      case 'kill':
        return await this.#kill(deed);
      case 'disk':
        return await this.#disk(deed, signal);
      case 'setting':
        return await this.#setting(deed, signal);
      case 'presses':
        return await this.#press(deed.presses, signal);
      case 'cut':
        return await this.#cut(deed, signal);
      case 'keys':
        return await this.#options.keys.churn(deed.create, deed.revoke);
      case 'attack':
        return await this.#attack(deed);
    }
  }

  async #kill({ victim, machine: name }: DeedOf<'kill'>): Promise<string> {
    const { stage, watch, broker } = this.#options;
    const player = stage.player(name);
    if (victim === 'broker') return broker.kill();
    if (victim === 'supervisor') {
      const pid = player.machine.supervisor?.pid;
      return pid !== undefined && watch.kill(pid) ? 'killed' : 'not there';
    }
    const prefix = { media: 'media', pipeline: `capture-${sourceOf[name]}`, recorder: 'record-' }[victim];
    const child = (await watch.children(player)).find((one) => one.name.startsWith(prefix));
    return child !== undefined && watch.kill(child.pid) ? 'killed' : 'not there';
  }

  async #disk({ machine, trouble, forMs }: DeedOf<'disk'>, signal: AbortSignal): Promise<string> {
    const { disk } = this.#options.stage.player(machine);
    await disk.set(diskRules(trouble));
    await pause(forMs, signal);
    await disk.heal();
    return 'healed';
  }

  async #setting({ machine: name, change, forMs }: DeedOf<'setting'>, signal: AbortSignal): Promise<string> {
    const { machine, settings } = this.#options.stage.player(name);
    await machine.configure(changedSettings(settings, change));
    await pause(forMs, signal);
    await machine.configure(settings);
    return 'set back';
  }

  async #cut({ machine, forMs }: DeedOf<'cut'>, signal: AbortSignal): Promise<string> {
    const { host } = this.#options.stage.player(machine);
    await host.cutCable();
    await pause(forMs, signal);
    await host.restoreCable();
    return 'joined again';
  }

  /** As several people do: no one waits for the answer to the press before. */
  async #press(presses: readonly Press[], signal: AbortSignal): Promise<string> {
    const answers: Promise<string>[] = [];
    for (const press of presses) {
      answers.push(this.#pressOnce(press));
      await pause(press.thenMs, signal);
    }
    return (await Promise.all(answers)).join(', ');
  }

  async #pressOnce({ wish, via, machine }: Press): Promise<string> {
    const { stage, report } = this.#options;
    if (via === 'MQTT') {
      const topic = `rushlight/${this.#devices.get(machine)}/recording/set`;
      const sent = await stage.presser.ask<string>({ topic, payload: wish === 'start' ? 'ON' : 'OFF' });
      report.count(`${wish} over MQTT`, sent);
      return sent;
    }
    const outcome = await (wish === 'start' ? this.#startTake(machine) : this.#stopTakes(machine));
    report.count(`${wish} over the API`, outcome);
    if (outcome.startsWith('500')) report.fault(`${wish} of a take at the ${machine}: ${outcome}`);
    return outcome;
  }

  async #startTake(machine: 'hub' | 'camera'): Promise<string> {
    return await this.#call(machine, 'POST', '/api/takes');
  }

  async #stopTakes(name: 'hub' | 'camera'): Promise<string> {
    const { machine } = this.#options.stage.player(name);
    let takes: Take[];
    try {
      takes = await machine.ask<Take[]>('GET', '/api/takes');
    } catch {
      return 'no answer'; // Its supervisor was killed, or its page is elsewhere by the settings.
    }
    const running = takes.filter(({ stoppedAt }) => stoppedAt === null);
    if (running.length === 0) return 'nothing to stop';
    const stopped = running.map(({ id }) => this.#call(name, 'POST', `/api/takes/${id}/stop`));
    return (await Promise.all(stopped)).join(', ');
  }

  /** The status, and the code of a refusal. */
  async #call(name: 'hub' | 'camera', method: string, path: string): Promise<string> {
    try {
      await this.#options.stage.player(name).machine.ask(method, path, {});
      return 'done';
    } catch (error) {
      const text = String(error);
      const status = /: (\d+) /.exec(text)?.[1] ?? '0';
      return status === '0' ? 'no answer' : `${status} ${/"code":"([A-Z_]+)"/.exec(text)?.[1] ?? ''}`.trim();
    }
  }

  async #attack({ attack, machine, forMs, seed }: DeedOf<'attack'>): Promise<string> {
    const { stage, keys, report } = this.#options;
    // A camera that is down at the moment is attacked all the same.
    const { hub } = await stage.status('camera').catch(() => ({ hub: null }));
    const request = { attack, machine, forMs, seed, token: keys.viewerToken, hubId: hub?.id ?? 'unknown' };
    const { answers, wrong } = await stage.attacker.ask<{
      answers: Record<string, number>;
      wrong: readonly string[];
    }>(request);
    for (const [answer, count] of Object.entries(answers)) report.count(attack, answer, count);
    for (const text of wrong) report.fault(`${attack} at the ${machine}: ${text}`);
    return Object.entries(answers)
      .map(([answer, count]) => `${count} × ${answer}`)
      .join(', ');
  }
}
