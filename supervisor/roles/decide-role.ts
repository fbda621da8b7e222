import type { Config } from '../config/schema.ts';
import type { Role, RoleFacts } from './facts.ts';

/** A role and the reason for it. */
export interface RoleDecision {
  readonly role: Role;
  /** Why, as a sentence for the page and the log. */
  readonly reason: string;
}

/** Decides what this appliance is: the setting's role, or with `auto` the jumper's. An open jumper means camera. */
export function decideRole(config: Pick<Config, 'role' | 'jumper'>, facts: RoleFacts): RoleDecision {
  if (config.role !== 'auto') return { role: config.role, reason: explicitReason(config.role, facts) };
  const line = `GPIO ${config.jumper.gpio}`;
  switch (facts.jumper) {
    case 'closed':
      return { role: 'hub', reason: `The jumper on ${line} is closed.` };
    case 'open':
      return { role: 'camera', reason: `The jumper on ${line} is open.` };
    case 'absent':
      return { role: 'camera', reason: 'This machine has no GPIO header, which counts as an open jumper.' };
    case 'unreadable':
      return facts.lastRole === undefined
        ? { role: 'camera', reason: `The jumper on ${line} cannot be read, which counts as open.` }
        : {
            role: facts.lastRole,
            reason: `The jumper on ${line} cannot be read; the role stays the same.`,
          };
  }
}

function explicitReason(role: Role, { jumper }: RoleFacts): string {
  const setting = `The setting says role = "${role}"`;
  const jumperRole: Role | undefined = jumper === 'closed' ? 'hub' : jumper === 'open' ? 'camera' : undefined;
  // Every board without a jumper reads as open; a closed one was put there on purpose.
  return jumperRole === 'hub' && role === 'camera' ? `${setting}, against the closed jumper.` : `${setting}.`;
}
