import { z } from 'zod';
import type { AccessRole } from './route.ts';

export { maxPictureBytes } from '../../common/picture-size.ts';

/** Query of `WS /ws/feeds/:feed`. */
export const feedLinkQuerySchema = z.object({
  publish: z
    .enum(['', '1', 'true'])
    .optional()
    .describe('Present: this end sends pictures, the appliance takes them. Absent: the other way round.'),
});

/** Who may publish pictures: everyone who may publish by WHIP. */
export const publishRoles: readonly AccessRole[] = ['camera', 'operator'];

/**
 * What the appliance sends, as text, to a publisher of pictures: at most one message a second, with the number of pictures that
 * were not shown since the message before.
 */
export const pictureRefusalSchema = z
  .object({
    type: z.literal('refused'),
    code: z.enum(['JPEG_INVALID', 'TOO_FAST']),
    message: z.string(),
    count: z.int(),
  })
  .meta({ id: 'PictureRefusal' });

/** See {@link pictureRefusalSchema}. */
export type PictureRefusal = z.infer<typeof pictureRefusalSchema>;

/** Why the appliance closes a link for pictures (RFC 6455, section 7.4). */
export const feedLinkClose = {
  /** A text message came; pictures are binary messages. */
  textMessage: 1003,
  /** All pictures were broken. */
  brokenPictures: 1007,
  pictureTooLarge: 1009,
  keyRevoked: 4001,
  /** Another connection with the same key publishes now. */
  takenOver: 4002,
  /** Another publisher uses this name. */
  feedBusy: 4009,
} as const;
