import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { untilAborted } from '../../common/pause.ts';

const headerBytes = 12;
const typeA = 1;
const classIn = 1;
const lifetimeS = 5;

/**
 * Answers every question for an address with one address, so that phones find the setup page: they request a page of their
 * maker and show what answers. Until the signal. Rejects if the port is not available.
 */
export async function answerEveryName(port: number, address: string, signal: AbortSignal): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (query, peer) => {
    const answer = answerTo(query, address);
    // A phone that has left sends no more queries and needs no answer.
    if (answer !== null) socket.send(answer, peer.port, peer.address, () => {});
  });
  try {
    socket.bind(port);
    await once(socket, 'listening', { signal });
    await untilAborted(signal);
  } finally {
    socket.close();
  }
}

/**
 * The answer to a query (RFC 1035, section 4): its only question with our address, or empty if it asks for anything but an IPv4
 * address. Null for anything that is no query. Pure.
 */
export function answerTo(query: Buffer, address: string): Buffer | null {
  if (query.length < headerBytes) return null;
  const flags = query.readUInt16BE(2);
  const isQuery = (flags & 0xf800) === 0;
  if (!isQuery || query.readUInt16BE(4) !== 1) return null;
  const end = endOfName(query, headerBytes);
  if (end === null || end + 4 > query.length) return null;
  const isOurs = query.readUInt16BE(end) === typeA && query.readUInt16BE(end + 2) === classIn;
  const header = Buffer.from(query.subarray(0, headerBytes));
  // Response, authoritative, recursion as requested; no error.
  header.writeUInt16BE(0x8480 | (flags & 0x0100), 2);
  header.writeUInt16BE(isOurs ? 1 : 0, 6);
  header.fill(0, 8);
  return Buffer.concat([
    header,
    query.subarray(headerBytes, end + 4),
    ...(isOurs ? [answerRecord(address)] : []),
  ]);
}

/** End of a name without compression; null if it runs past the packet or is compressed. */
function endOfName(packet: Buffer, start: number): number | null {
  let at = start;
  for (;;) {
    const length = packet[at];
    if (length === undefined || length > 63) return null;
    at += 1 + length;
    if (length === 0) return at;
  }
}

function answerRecord(address: string): Buffer {
  const record = Buffer.alloc(16);
  // The name is the question's.
  record.writeUInt16BE(0xc000 | headerBytes, 0);
  record.writeUInt16BE(typeA, 2);
  record.writeUInt16BE(classIn, 4);
  record.writeUInt32BE(lifetimeS, 6);
  record.writeUInt16BE(4, 10);
  Buffer.from(address.split('.').map(Number)).copy(record, 12);
  return record;
}
