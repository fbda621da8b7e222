import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { pause } from '../../common/pause.ts';
import type { Report } from './report.ts';
import type { Stage } from './stage.ts';

const restartAfterMs = 1500;

/** Keeps the broker running, and kills it when asked. */
export class BrokerKeeper {
  readonly #stage: Stage;
  readonly #report: Report;
  #broker: ChildProcess | null = null;
  #killed = false;

  constructor(stage: Stage, report: Report) {
    this.#stage = stage;
    this.#report = report;
  }

  kill(): string {
    if (this.#broker?.kill('SIGKILL') !== true) return 'not there';
    this.#killed = true;
    return 'killed';
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const broker = this.#stage.startBroker();
      this.#broker = broker;
      this.#killed = false;
      const stopped = once(signal, 'abort').then(() => broker.kill('SIGKILL'));
      await Promise.race([once(broker, 'exit'), stopped]);
      this.#broker = null;
      if (signal.aborted) return;
      this.#report.count('broker', this.#killed ? 'restarted after a kill' : 'ended by itself');
      await pause(restartAfterMs, signal);
    }
  }
}
