import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, encodeQuestion, type MdnsQuestion, type MdnsRecord, recordsOf } from '../../lib/mdns.ts';

const everybody = { address: '224.0.0.251', port: 5353 };

/**
 * Asks on the rig's own network from a port of its own, so that only it gets the answer (RFC 6762, section 6.7). Returns the
 * records of the first answer; empty if none came in time.
 */
export async function askLink(
  question: MdnsQuestion,
  timeoutMs: number,
  to = everybody,
): Promise<MdnsRecord[]> {
  const socket = createSocket('udp4');
  let found: MdnsRecord[] = [];
  socket.on('message', (message) => {
    const records = recordsOf(message);
    if (answers(question, records)) found = records;
  });
  socket.bind(0);
  await once(socket, 'listening');
  const deadline = Date.now() + timeoutMs;
  const message = encodeQuestion(question);
  try {
    while (found.length === 0 && Date.now() < deadline) {
      socket.send(message, to.port, to.address);
      await sleep(Math.min(500, timeoutMs));
    }
  } finally {
    socket.close();
  }
  return found;
}
