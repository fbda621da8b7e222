// Attacks from the machine it runs on: one JSON line in, one out. See json-agent.ts.
import { z } from 'zod';
import { attackWith } from './attacks.ts';
import { answerRequests } from './json-agent.ts';
import { attacks } from './plan.ts';

const requestSchema = z.object({
  attack: z.enum(attacks),
  machine: z.enum(['hub', 'camera']),
  forMs: z.int(),
  seed: z.int(),
  token: z.string(),
  hubId: z.string(),
});

await answerRequests((request) => attackWith(requestSchema.parse(request)));
