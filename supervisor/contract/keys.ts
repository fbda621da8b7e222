import { z } from 'zod';
import { instantSchema } from './common.ts';

/** A key that opens this appliance. Its token is shown once, in the answer that makes it. */
export const keySchema = z
  .object({
    id: z.string(),
    role: z.enum(['owner', 'operator', 'viewer', 'camera']),
    subject: z.string().describe('Who it was made for; for cameras, the name or id of the camera'),
    createdAt: instantSchema,
  })
  .meta({ id: 'Key' });

/** Body of `POST /api/keys`. */
export const keyCreateSchema = z.strictObject({
  role: keySchema.shape.role,
  subject: z.string().min(1).max(64),
});

/** Answer of `POST /api/keys`: the only one that contains the token. */
export const newKeySchema = keySchema.extend({ token: z.string() });

/** See {@link keySchema}. */
export type Key = z.infer<typeof keySchema>;
