import type { Logger } from 'pino';
import { errorCode, messageOf } from '../../common/errors.ts';
import type { TokenBucket } from '../../common/token-bucket.ts';
import type { Status } from '../contract/index.ts';
import { type Command, type CommandName, parseCommand } from './command.ts';
import { CommandRefusedError } from './errors.ts';
import type { ApplianceCommands } from './ports.ts';

/** Payload of `rushlight/<device>/<command>/result`. */
export interface CommandResult {
  readonly ok: boolean;
  /** `OK`, or the literal code of the error. */
  readonly code: string;
  readonly message: string;
  /** RFC 3339, UTC. */
  readonly at: string;
}

/** What commands need. */
export interface CommandRunnerOptions {
  readonly commands: ApplianceCommands;
  readonly status: () => Status;
  /** Takes a picture of a feed and publishes it. */
  readonly publishSnapshot: (feed: string) => Promise<void>;
  /** One limiter for all valid commands; invalid ones cost nothing and are answered at once. */
  readonly limit: TokenBucket;
  readonly logger: Logger;
}

const longestMessage = 1000;

/** Reads a command, checks whether it may be carried out now, carries it out, and reports the result. */
export class CommandRunner {
  readonly #options: CommandRunnerOptions;

  constructor(options: CommandRunnerOptions) {
    this.#options = options;
  }

  /** Never rejects: every failure is in the result. */
  async run(name: string, payload: Buffer, retained: boolean): Promise<CommandResult> {
    const { logger, limit, status } = this.#options;
    try {
      if (retained) throw new CommandRefusedError('COMMAND_RETAINED', 'retained commands are ignored');
      const command = parseCommand(name, payload);
      if (!limit.take())
        throw new CommandRefusedError('COMMAND_TOO_OFTEN', 'too many commands; wait a moment');
      refuseDuringTake(command, status());
      await this.#carryOut(command);
      logger.info({ command: command.name }, 'command carried out');
      return result(true, 'OK', 'done');
    } catch (error) {
      const code = errorCode(error) ?? 'COMMAND_FAILED';
      const message = messageOf(error);
      const level = error instanceof CommandRefusedError ? 'debug' : 'warn';
      logger[level]({ command: name, code, err: error }, 'command refused');
      return result(false, code, message);
    }
  }

  async #carryOut(command: Command): Promise<void> {
    const { commands, publishSnapshot, status } = this.#options;
    switch (command.name) {
      case 'role':
        return commands.setRole(command.value.role);
      case 'recording':
        if (command.value.state === 'OFF') {
          refuseToStopOthers(command.value.cameras, status());
          return commands.stopTake();
        }
        return commands.startTake(command.value.cameras ?? null);
      case 'tally':
        return commands.setTally(command.value.state);
      case 'adjust':
        return commands.adjust(command.value);
      case 'snapshot':
        refuseUnknownFeed(command.value.feed, status());
        return publishSnapshot(command.value.feed);
      case 'identify':
        return commands.identify();
      case 'restart':
        return commands.restart(command.value);
      case 'shutdown':
        return commands.shutdown(command.value);
      case 'rollback':
        return commands.rollbackUpdate();
      case 'update':
        return commands.installUpdate(command.value);
      case 'cameraupdate':
        return commands.updateCamera(command.value.camera);
      case 'rollout': {
        const { value } = command;
        if (value.action !== 'start') return commands.changeRollout(value.action);
        const { action: _, ...request } = value;
        return commands.startRollout(request);
      }
    }
  }
}

const disturbing: ReadonlySet<CommandName> = new Set(['role', 'restart', 'shutdown', 'rollback', 'update']);

function refuseDuringTake({ name, value }: Command, status: Status): void {
  if (!disturbing.has(name) || status.recording.state === 'idle' || status.recording.state === 'failed')
    return;
  if ('force' in value && value.force) return;
  const remedy = 'force' in value ? '; stop it, or send {"force":true}' : '; stop it first';
  throw new CommandRefusedError('TAKE_RUNNING', `a take is running${remedy}`);
}

/** A take ends for all its cameras at once. */
function refuseToStopOthers(cameras: readonly string[] | undefined, { recording: { take } }: Status): void {
  if (cameras === undefined || take === null) return;
  const others = take.cameras
    .filter(
      ({ camera, state }) => !cameras.includes(camera) && (state === 'recording' || state === 'starting'),
    )
    .map(({ camera }) => camera);
  if (others.length === 0) return;
  const text = `the take also records ${others.join(', ')}, which would end with it; stop the whole take instead`;
  throw new CommandRefusedError('TAKE_OF_OTHERS', text);
}

function refuseUnknownFeed(id: string, status: Status): void {
  if (!status.feeds.some((feed) => feed.id === id)) {
    throw new CommandRefusedError('FEED_UNKNOWN', `no feed is called ${id}`);
  }
}

/** The one answer to all commands of a name that were too many to be read. */
export function droppedResult(count: number): CommandResult {
  const text = `${count} ${count === 1 ? 'command was' : 'commands were'} dropped: too many at once; wait for the results`;
  return result(false, 'COMMAND_TOO_OFTEN', text);
}

function result(ok: boolean, code: string, message: string): CommandResult {
  return { ok, code, message: message.slice(0, longestMessage), at: new Date().toISOString() };
}
