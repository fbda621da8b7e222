import { z } from 'zod';
import type { AccessRole } from './route.ts';

/** Largest picture that is taken, in bytes. */
export const maxPictureBytes = 4 * 1024 * 1024;

/** Query of `WS /ws/feeds/:feed`. */
export const feedLinkQuerySchema = z.object({
  publish: z
    .enum(['', '1', 'true'])
    .optional()
    .describe('Present: this end sends pictures, the appliance takes them. Absent: the other way round.'),
});

/** Who may publish pictures: whoever may publish by WHIP. */
export const publishRoles: readonly AccessRole[] = ['camera', 'operator'];

/**
 * What the appliance says, as text, to whoever publishes pictures: one message at most a second, with the number of
 * pictures that were not shown since the one before.
 */
export const pictureRefusalSchema = z
  .object({
    type: z.literal('refused'),
    code: z.enum(['JPEG_INVALID', 'TOO_FAST']),
    message: z.string(),
    count: z.int(),
  })
  .meta({ id: 'PictureRefusal' });

export type PictureRefusal = z.infer<typeof pictureRefusalSchema>;

/** Why the appliance closes a link of pictures (RFC 6455, section 7.4). */
export const feedLinkClose = {
  /** A text message, where pictures are binary ones. */
  textMessage: 1003,
  /** Nothing but broken pictures. */
  brokenPictures: 1007,
  pictureTooLarge: 1009,
  keyRevoked: 4001,
  /** Another connection with the same key publishes now. */
  takenOver: 4002,
  /** Somebody else publishes under this name. */
  feedBusy: 4009,
} as const;
