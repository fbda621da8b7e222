/** One bound UDP socket with large buffers. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

/** With the defaults a quarter of the packets was lost under load. The kernel limits it to net.core.{r,w}mem_max. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** Where to bind, and who gets what arrives. */
export interface UdpSocketOptions {
  readonly address: string;
  readonly port: number;
  readonly onDatagram: (datagram: Buffer, from: RemoteInfo) => void;
  readonly onError: (error: Error) => void;
}

/** Binds; rejects with the system's error. */
export async function openUdpSocket(options: UdpSocketOptions): Promise<Socket> {
  const six = isIPv6(options.address);
  // One socket for each address: IPv4 has its own.
  const socket = createSocket({ type: six ? 'udp6' : 'udp4', ipv6Only: six, lookup: addressItself });
  try {
    const listening = once(socket, 'listening');
    socket.bind({ address: options.address, port: options.port, exclusive: true });
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.on('error', options.onError);
  socket.on('message', options.onDatagram);
  try {
    socket.setRecvBufferSize(BUFFER_BYTES);
    socket.setSendBufferSize(BUFFER_BYTES);
  } catch (error) {
    options.onError(error instanceof Error ? error : new Error(String(error)));
  }
  return socket;
}

/** Addresses here are never names: without the default lookup a datagram leaves at once, and costs less. */
function addressItself(
  address: string,
  _options: unknown,
  callback: (error: Error | null, address: string, family: number) => void,
): void {
  callback(null, address, isIPv6(address) ? 6 : 4);
}
