import type { Logger } from 'pino';
import type { Child, ChildExit, ChildSpec } from './child.ts';
import { endGroup, groupLives } from './process-group.ts';

const defaultStopTimeoutMs = 5000;

/** What the host gives to a child. */
export interface HostChildOptions {
  readonly spec: ChildSpec;
  readonly pid: number;
  readonly adopted: boolean;
  readonly exited: Promise<ChildExit>;
  readonly logger: Logger;
  /** Called once, when the whole group is gone, or was given up. */
  readonly onCleared: () => void;
}

/** A running process group, no matter which supervisor started it. */
export class HostChild implements Child {
  readonly name: string;
  readonly pid: number;
  readonly adopted: boolean;
  readonly exited: Promise<ChildExit>;
  /** Settles once nothing of the group is left. */
  readonly cleared: Promise<void>;
  readonly spec: ChildSpec;
  readonly #logger: Logger;
  /** Gives up a group that cannot be ended, such as one inside a system call that does not return: no one may wait for it. */
  readonly #givenUp = Promise.withResolvers<ChildExit>();
  #stopping: Promise<ChildExit> | undefined;
  #leaderEnded: boolean = false;
  #gone: boolean = false;

  constructor(options: HostChildOptions) {
    this.spec = options.spec;
    this.name = options.spec.name;
    this.pid = options.pid;
    this.adopted = options.adopted;
    this.exited = Promise.race([options.exited, this.#givenUp.promise]);
    this.#logger = options.logger;
    this.cleared = this.exited
      .then(() => {
        this.#leaderEnded = true;
        return this.#clearRest();
      })
      .then(() => {
        this.#gone = true;
        options.onCleared();
      });
  }

  /** Whether the leader has ended. */
  get ended(): boolean {
    return this.#leaderEnded;
  }

  /** Whether it was asked to end. */
  get ending(): boolean {
    return this.#stopping !== undefined;
  }

  stop(): Promise<ChildExit> {
    // Once the group is gone, its number may belong to another one.
    this.#stopping ??= this.#gone ? this.exited : this.#end();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(): Promise<ChildExit> {
    await this.#endWholeGroup();
    const exit = await this.exited;
    await this.cleared;
    return exit;
  }

  /** The leader has ended: the processes it left would keep the camera, the port or the file open. */
  async #clearRest(): Promise<void> {
    if (this.#stopping !== undefined || !groupLives(this.pid)) return;
    this.#logger.debug({ child: this.name, pid: this.pid }, 'ending what a child left behind');
    await this.#endWholeGroup();
  }

  async #endWholeGroup(): Promise<void> {
    const { stopSignal = 'SIGTERM', stopTimeoutMs = defaultStopTimeoutMs } = this.spec;
    try {
      if (await endGroup(this.pid, stopSignal, stopTimeoutMs)) return;
      this.#logger.error(
        { child: this.name, pid: this.pid },
        'a child survives SIGKILL; the kernel holds it',
      );
      this.#givenUp.resolve({ code: null, signal: 'SIGKILL' });
    } catch (error) {
      // It may run as another user. Nothing more can be done here, and ending the others must not fail because of it.
      this.#logger.error({ err: error, child: this.name, pid: this.pid }, 'a child cannot be ended');
      this.#givenUp.resolve({ code: null, signal: null });
    }
  }
}
