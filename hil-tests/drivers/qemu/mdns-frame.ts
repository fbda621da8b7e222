/** Ethernet frames of one mDNS question and its answers (RFC 6762), without a network card: just enough for the rig. */

const multicastMac = Buffer.from([0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb]);
const rigMac = Buffer.from([0x52, 0x54, 0x00, 0x72, 0x6c, 0x01]);
const rigAddress = Buffer.from([169, 254, 7, 7]);
const multicastAddress = Buffer.from([224, 0, 0, 251]);
const mdnsPort = 5353;
const etherTypeIpv4 = 0x0800;
const protocolUdp = 17;
const typeA = 1;

/** A frame that asks everybody on the link for the IPv4 address of `<name>.local`. */
export function mdnsQuestion(name: string): Buffer {
  const labels = [...name.split('.'), 'local'].map((label) => {
    const bytes = Buffer.from(label, 'utf8');
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  const header = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const dns = Buffer.concat([header, ...labels, Buffer.from([0, 0, typeA, 0, 1])]);
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(mdnsPort, 0);
  udp.writeUInt16BE(mdnsPort, 2);
  udp.writeUInt16BE(8 + dns.length, 4); // the checksum may be left out over IPv4
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(28 + dns.length, 2);
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
  return Buffer.concat([ethernet, ip, udp, dns]);
}

/** The addresses a frame gives for `<name>.local`; none where it is anything else. Never throws. */
export function mdnsAnswers(frame: Buffer, name: string): string[] {
  if (frame.length < 34 || frame.readUInt16BE(12) !== etherTypeIpv4 || frame[23] !== protocolUdp) return [];
  const udp = 14 + ((frame[14] ?? 0) & 15) * 4;
  if (frame.length < udp + 20 || frame.readUInt16BE(udp) !== mdnsPort) return [];
  const dns = frame.subarray(udp + 8);
  if ((dns.readUInt16BE(2) & 0x8000) === 0) return [];
  try {
    return addressRecords(dns)
      .filter((record) => record.name === `${name}.local`.toLowerCase())
      .map((r) => r.address);
  } catch (error) {
    if (error instanceof RangeError) return []; // a frame that ends in the middle of a record
    throw error;
  }
}

function addressRecords(dns: Buffer): { name: string; address: string }[] {
  const found: { name: string; address: string }[] = [];
  const records = dns.readUInt16BE(6) + dns.readUInt16BE(8) + dns.readUInt16BE(10);
  let offset = 12;
  for (let question = 0; question < dns.readUInt16BE(4); question++) offset = readName(dns, offset).end + 4;
  for (let record = 0; record < records; record++) {
    const { text, end } = readName(dns, offset);
    const length = dns.readUInt16BE(end + 8);
    if (dns.readUInt16BE(end) === typeA && length === 4) {
      found.push({ name: text.toLowerCase(), address: [...dns.subarray(end + 10, end + 14)].join('.') });
    }
    offset = end + 10 + length;
  }
  return found;
}

function readName(dns: Buffer, start: number): { text: string; end: number } {
  const labels: string[] = [];
  let offset = start;
  let end = -1;
  for (let steps = 0; steps < 128; steps++) {
    const length = dns.readUInt8(offset);
    if (length === 0) return { text: labels.join('.'), end: end < 0 ? offset + 1 : end };
    if (length >= 0xc0) {
      if (end < 0) end = offset + 2;
      offset = dns.readUInt16BE(offset) & 0x3fff;
    } else {
      labels.push(dns.subarray(offset + 1, offset + 1 + length).toString('utf8'));
      offset += 1 + length;
    }
  }
  throw new RangeError('a name that points in circles');
}

function headerChecksum(header: Buffer): number {
  let sum = 0;
  for (let offset = 0; offset < header.length; offset += 2) sum += header.readUInt16BE(offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
