import { z } from 'zod';
import { field, filePath, passwordText, secretField, urlOf } from '../../../../common/setting-field.ts';
import { sourceFields } from '../fields.ts';

/** What a `[[source]]` of this kind may say. */
export const settings = z
  .strictObject({
    kind: z
      .literal('rtsp')
      .meta({ description: 'A network camera. Its H.264 or H.265 is copied, not encoded again.' }),
    ...sourceFields,
    url: field(urlOf('rtsp', 'rtsps'), 'Address of the stream, without user and password.', ['pipelines']),
    username: field(z.string().min(1).max(255).optional(), 'User name, if the camera asks for one.', [
      'pipelines',
    ]),
    password: secretField(passwordText().optional(), 'Password. Neither the API nor the log shows it.', [
      'pipelines',
    ]),
    password_file: field(filePath().optional(), 'File with the password, instead of `password`.', [
      'pipelines',
    ]),
    transport: field(z.enum(['tcp', 'udp']).default('tcp'), 'The transport of the packets.', ['pipelines']),
  })
  .meta({ description: 'kind = "rtsp"' });
