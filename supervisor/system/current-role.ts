import type { Logger } from 'pino';
import { z } from 'zod';
import type { Config } from '../config/schema.ts';
import type { StateSection, StateStore } from '../config/state.ts';
import { decideRole, type JumperReading, type RoleDecision } from '../roles/index.ts';

/** The last role, in state.json. */
export const roleSection = {
  name: 'role',
  schema: z.object({ last: z.enum(['hub', 'camera']).optional() }),
} as const satisfies StateSection<z.ZodObject>;

/** Decides the role each time it is asked, and remembers it for when the jumper cannot be read. */
export class CurrentRole {
  readonly #state: StateStore;
  readonly #log: Logger;
  #current: RoleDecision = { role: 'camera', reason: 'Not decided yet.' };

  constructor(state: StateStore, log: Logger) {
    this.#state = state;
    this.#log = log;
  }

  get current(): RoleDecision {
    return this.#current;
  }

  async decide(config: Config, jumper: JumperReading): Promise<RoleDecision> {
    const { last } = this.#state.get(roleSection);
    const decision = decideRole(config, { jumper, ...(last === undefined ? {} : { lastRole: last }) });
    if (decision.role !== this.#current.role || decision.reason !== this.#current.reason) {
      this.#log.info(decision, `this appliance is a ${decision.role}`);
    }
    this.#current = decision;
    if (decision.role !== last) await this.#state.update(roleSection, () => ({ last: decision.role }));
    return decision;
  }
}
