import { z } from 'zod';
import { slugSchema } from './common.ts';
import { deviceSchema } from './devices.ts';
import { rolloutSchema } from './rollout.ts';
import { statusSchema } from './status.ts';
import { takeSchema } from './takes.ts';

/** What `GET /api/events` (server-sent events) carries; the SSE event name is `type`. */
export const eventSchema = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('status'), status: statusSchema }),
    z.object({ type: z.literal('device-added'), device: deviceSchema }),
    z.object({ type: z.literal('device-changed'), device: deviceSchema }),
    z.object({ type: z.literal('device-removed'), id: z.string() }),
    z.object({ type: z.literal('take'), take: takeSchema }),
    z.object({ type: z.literal('take-removed'), id: slugSchema }),
    z.object({ type: z.literal('rollout'), rollout: rolloutSchema }),
    z.object({ type: z.literal('config'), ok: z.boolean() }),
  ])
  .meta({ id: 'Event' });

/** One event of `GET /api/events`. */
export type ApiEvent = z.infer<typeof eventSchema>;
