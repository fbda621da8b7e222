import type { Logger } from 'pino';
import { describeError, errorCode } from '../../common/errors.ts';
import type { AgentDown, Take, UpdateOrder } from '../contract/index.ts';
import type { TakeConductor } from '../takes/index.ts';
import type { CameraRole } from './camera-role.ts';

type Command = Exclude<AgentDown, { type: 'welcome' | 'ping' }>;

/** The parts of this camera that a hub can command. */
export interface Commanded {
  readonly conductor: TakeConductor;
  readonly updates: { obey(order: UpdateOrder): Promise<void> };
  /** The link for the answer. */
  readonly side: CameraRole | null;
  readonly log: Logger;
}

/** Carries out what the hub commands, and reports what is not possible. Never rejects. */
export function handleHubCommand(command: Command, commanded: Commanded): void {
  const { side, log } = commanded;
  const { type, ...details } = command;
  log.info({ command: type, ...details }, 'the hub commands');
  const order = 'order' in command && command.order !== undefined ? { order: command.order } : null;
  obey(command, commanded).then(
    () => {
      if (order !== null) side?.send({ type: 'accepted', command: type, ...order });
    },
    (error: unknown) => {
      const reason = describeError(error);
      log.warn({ err: error, command: type }, 'cannot do what the hub commands');
      side?.send({ type: 'refused', command: type, code: errorCode(error) ?? 'INTERNAL', reason, ...order });
    },
  );
}

async function obey(command: Command, { conductor, updates, side }: Commanded): Promise<void> {
  switch (command.type) {
    case 'take-start':
      return await conductor.startAs(command.takeId, command.startedAt, command.cameras);
    case 'take-stop': {
      const take = await conductor.stop(command.takeId);
      if (side !== null) reportTake(side, take);
      return;
    }
    default:
      return await updates.obey(command);
  }
}

/** When the link is back, this many takes are reported again; older ones were finished long before. */
const retoldTakes = 20;

/** Reports the state of this camera's latest takes to the hub, which missed what happened while the link was down. */
export function reportTakes(side: CameraRole | null, takes: readonly Take[]): void {
  if (side === null) return;
  for (const take of takes.slice(0, retoldTakes)) reportTake(side, take);
}

/** Reports the state of this camera's part of a take to the hub. */
export function reportTake(side: CameraRole, take: Take): void {
  const own = take.cameras.filter(({ device }) => device === null);
  if (own.length > 0) side.send({ type: 'take', takeId: take.id, cameras: own });
}
