import type { MediaTransport } from '../datapath/datapath.ts';
import { SignalingError } from './errors.ts';

/**
 * Opens a transport on the shared UDP port. Without that port the answer would name no way to come here, and its receiver would
 * try until it gives up, and again.
 * @throws SignalingError (MEDIA_PORT_CLOSED)
 */
export async function openSharedTransport<T extends MediaTransport>(datapath: {
  openTransport(mode: 'lite'): Promise<T>;
}): Promise<T> {
  const transport = await datapath.openTransport('lite');
  if (transport.candidates.length > 0) return transport;
  transport.close();
  throw new SignalingError(
    'MEDIA_PORT_CLOSED',
    'The UDP port for video is not open on this machine; its health says why.',
    { retryAfterS: 5 },
  );
}
