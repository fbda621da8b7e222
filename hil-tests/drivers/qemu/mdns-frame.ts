/** Ethernet frames that carry mDNS (RFC 6762), without a network card: just enough for the rig. */

const multicastMac = Buffer.from([0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb]);
const rigMac = Buffer.from([0x52, 0x54, 0x00, 0x72, 0x6c, 0x01]);
const rigAddress = Buffer.from([169, 254, 7, 7]);
const multicastAddress = Buffer.from([224, 0, 0, 251]);
const mdnsPort = 5353;
const etherTypeIpv4 = 0x0800;
const protocolUdp = 17;

/** A frame that sends a DNS message to everyone on the link. */
export function mdnsFrame(message: Uint8Array): Buffer {
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(mdnsPort, 0);
  udp.writeUInt16BE(mdnsPort, 2);
  udp.writeUInt16BE(8 + message.length, 4); // the checksum may be left out over IPv4
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(28 + message.length, 2);
  ip[8] = 255;
  ip[9] = protocolUdp;
  rigAddress.copy(ip, 12);
  multicastAddress.copy(ip, 16);
  ip.writeUInt16BE(headerChecksum(ip), 10);
  const ethernet = Buffer.concat([
    multicastMac,
    rigMac,
    Buffer.from([etherTypeIpv4 >> 8, etherTypeIpv4 & 255]),
  ]);
  return Buffer.concat([ethernet, ip, udp, message]);
}

/** The DNS message in a frame; null if it contains anything else. Never throws. */
export function mdnsMessage(frame: Buffer): Buffer | null {
  if (frame.length < 34 || frame.readUInt16BE(12) !== etherTypeIpv4 || frame[23] !== protocolUdp) return null;
  const udp = 14 + ((frame[14] ?? 0) & 15) * 4;
  if (frame.length < udp + 20 || frame.readUInt16BE(udp) !== mdnsPort) return null;
  return frame.subarray(udp + 8);
}

function headerChecksum(header: Buffer): number {
  let sum = 0;
  for (let offset = 0; offset < header.length; offset += 2) sum += header.readUInt16BE(offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
