import { z } from 'zod';
import { deviceIdSchema, instantSchema, slugSchema, textOf } from './common.ts';

/** Why a camera takes no key before its owner confirms on the camera which hub is theirs. */
export const confirmReasonSchema = z.enum(['several-hubs', 'forgot-hub']);

/** A camera that asks this hub to adopt it. The owner compares `code` with what the camera shows. */
export const newCameraSchema = z
  .object({
    id: z.string(),
    name: slugSchema,
    version: z.string(),
    address: z.string(),
    code: z.string().regex(/^\d{6}$/),
    since: instantSchema,
    confirm: confirmReasonSchema
      .optional()
      .describe('Why the owner has to confirm the code on the camera first'),
  })
  .meta({ id: 'NewCamera' });

/** What a camera shows of a hub that it asks. */
export const hubCodeSchema = z.object({
  code: z.string(),
  hubName: z.string(),
  confirm: confirmReasonSchema
    .optional()
    .describe('Why the owner has to confirm here that this is their hub'),
});

/** Body of `POST /api/cameras/:id/adopt`: the code that the owner compared. */
export const adoptSchema = z.strictObject({
  code: z
    .string()
    .regex(/^\d{6}$/)
    .describe('The code the owner sees on the camera, or has compared'),
});

const nonceSchema = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * `WS /ws/adopt`, open to everyone: a camera without a key introduces itself. It commits to its nonce before it sees the hub's,
 * so that no one in between can choose nonces that make both codes equal.
 */
export const adoptUpSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    id: deviceIdSchema,
    name: slugSchema,
    version: textOf(64),
    commitment: nonceSchema.describe('SHA-256 of the nonce that follows'),
  }),
  z.object({ type: z.literal('reveal'), nonce: nonceSchema }),
  z.object({
    type: z.literal('confirm'),
    reason: confirmReasonSchema
      .nullable()
      .describe('Null: the owner no longer needs to confirm on the camera'),
  }),
]);

/** What the hub says to a camera that asks for adoption: its nonce, the key (or null), or why it refuses. */
export const adoptDownSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('challenge'),
    hubId: deviceIdSchema,
    hubName: textOf(64),
    nonce: nonceSchema,
    hearsConfirm: z
      .boolean()
      .default(false)
      .describe('Whether it understands `confirm`; hubs of release 0.1 do not, and would hang up'),
  }),
  z.object({ type: z.literal('adopted'), token: z.string().regex(/^[\x21-\x7e]{1,256}$/) }),
]);

/** Why the owner must confirm on the camera; see {@link confirmReasonSchema}. */
export type ConfirmReason = z.infer<typeof confirmReasonSchema>;
/** A camera in the hub's list of cameras that wait for adoption. */
export type NewCamera = z.infer<typeof newCameraSchema>;
/** A message of the camera on `WS /ws/adopt`. */
export type AdoptUp = z.infer<typeof adoptUpSchema>;
/** A message of the hub on `WS /ws/adopt`, before defaults are filled in. */
export type AdoptDown = z.input<typeof adoptDownSchema>;
