/** The media plane that this machine can have: the native one, or else its twin in JavaScript. */
import { loadNative } from '../datapath/native/native-binding.ts';
import type { NodeDatapathOptions } from '../datapath/node/node-datapath.ts';
import type { MediaPlane } from './media-plane.ts';
import { createNativePlane } from './native-plane.ts';
import { createNodePlane } from './node-plane.ts';

/** `RUSHLIGHT_DATAPATH=js` asks for the one in JavaScript, to compare the two. */
export async function createMediaPlane(
  options: NodeDatapathOptions,
  native = loadNative(),
): Promise<MediaPlane> {
  if (process.env.RUSHLIGHT_DATAPATH === 'js') return await createNodePlane(options);
  if ('addon' in native) return await createNativePlane(native.addon, options);
  options.logger.warn(
    { reason: native.reason },
    'the native datapath is missing: viewers cost more of the processor',
  );
  return await createNodePlane(options);
}
