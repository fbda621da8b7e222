import type { Logger } from 'pino';
import type { AgentDown, Take } from '../api/contract.ts';
import { describeError, errorCode } from '../errors.ts';
import type { CameraSide } from './camera-side.ts';
import type { TakeConductor } from './take-conductor.ts';

type Command = Exclude<AgentDown, { type: 'welcome' | 'ping' }>;

/** Does what the hub commands, and tells it where that is not possible. Never rejects. */
export function obeyHub(
  command: Command,
  conductor: TakeConductor,
  side: CameraSide | null,
  log: Logger,
): void {
  log.info({ command: command.type, take: command.takeId }, 'the hub commands');
  const work =
    command.type === 'take-start'
      ? conductor.startAs(command.takeId, command.startedAt, command.cameras)
      : conductor.stop(command.takeId).then((take) => {
          if (side !== null) tellHub(side, take);
        });
  work.catch((error: unknown) => {
    const reason = describeError(error);
    log.warn({ err: error, command: command.type }, 'cannot do what the hub commands');
    side?.send({ type: 'refused', command: command.type, code: errorCode(error) ?? 'INTERNAL', reason });
  });
}

/** Tells the hub how this camera's part of a take stands. */
export function tellHub(side: CameraSide, take: Take): void {
  const own = take.cameras.filter(({ device }) => device === null);
  if (own.length > 0) side.send({ type: 'take', takeId: take.id, cameras: own });
}
