import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** What an NTP server says about itself (RFC 5905, section 7.3). */
export interface NtpAnswer {
  /** 3: not synchronised, not to be used. */
  readonly leap: number;
  readonly version: number;
  /** 4: a server's answer. */
  readonly mode: number;
  /** 1 to 15; 0 and 16 are not to be used. */
  readonly stratum: number;
  readonly transmitUnixMs: number;
  /** The question's transmit timestamp, returned. */
  readonly originate: Buffer;
}

const packetBytes = 48;
/** Seconds from 1900, NTP's first era, to 1970. */
const eraOffsetS = 2_208_988_800;

/** A client's question (mode 3), marked by eight bytes that the answer returns. Pure. */
export function ntpQuestion(mark: Uint8Array): Buffer {
  const packet = Buffer.alloc(packetBytes);
  packet[0] = (4 << 3) | 3;
  packet.set(mark.subarray(0, 8), 40);
  return packet;
}

/** Null if it is no NTP packet. Pure. */
export function parseNtp(packet: Buffer): NtpAnswer | null {
  if (packet.length < packetBytes) return null;
  const first = packet.readUInt8(0);
  const seconds = packet.readUInt32BE(40) - eraOffsetS;
  return {
    leap: first >> 6,
    version: (first >> 3) & 7,
    mode: first & 7,
    stratum: packet.readUInt8(1),
    transmitUnixMs: (seconds + packet.readUInt32BE(44) / 2 ** 32) * 1000,
    originate: Buffer.from(packet.subarray(24, 32)),
  };
}

/** Asks once. Null if no answer to this question came within the time. */
export async function askNtp(host: string, port: number, timeoutMs: number): Promise<NtpAnswer | null> {
  const socket = createSocket('udp4');
  const mark = crypto.getRandomValues(new Uint8Array(8));
  try {
    socket.connect(port, host);
    await once(socket, 'connect');
    socket.send(ntpQuestion(mark));
    const [packet] = (await once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) })) as [Buffer];
    const answer = parseNtp(packet);
    return answer?.originate.equals(mark) ? answer : null;
  } catch (error) {
    // Silence, or a closed port: both are no answer.
    if (error instanceof Error && (error.name === 'AbortError' || 'syscall' in error)) return null;
    throw error;
  } finally {
    socket.close();
  }
}
