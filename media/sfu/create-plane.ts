/** The media plane that this machine can have: the native one, or else its twin in JavaScript. */

import type { DatapathOptions } from '../datapath/datapath-options.ts';
import { loadNative } from '../datapath/native/native-binding.ts';
import type { MediaPlane } from './media-plane.ts';
import { createNativePlane } from './native-plane.ts';

/** `RUSHLIGHT_DATAPATH=js` asks for the one in JavaScript, to compare the two. */
export async function createMediaPlane(options: DatapathOptions, native = loadNative()): Promise<MediaPlane> {
  const asked = process.env.RUSHLIGHT_DATAPATH === 'js';
  if (!asked && 'addon' in native) return createNativePlane(native.addon, options);
  if (!asked && 'reason' in native)
    options.logger.warn(
      { reason: native.reason },
      'the native datapath is missing: viewers cost more of the processor',
    );
  // Loaded where it is needed: its DTLS library takes a third of this process's memory.
  const { createNodePlane } = await import('./node-plane.ts');
  return await createNodePlane(options);
}
