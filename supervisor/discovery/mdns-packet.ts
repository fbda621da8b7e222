import { isIP } from 'node:net';
import { type ServiceTxt, serviceDomain, serviceTxtSchema, txtPairs } from './service-txt.ts';

/** More than any appliance has; a packet could name hundreds. */
const maxAddresses = 8;
const maxInstances = 16;

/** A resource record as `dns-packet` decodes it; only the types used here are described. */
export interface MdnsRecord {
  readonly type: string;
  readonly name: string;
  readonly ttl?: number;
  readonly data?: unknown;
}

/** The answers of a packet, as far as they concern appliances. */
export interface MdnsPacket {
  readonly answers: readonly MdnsRecord[];
  readonly additionals: readonly MdnsRecord[];
}

/** One appliance as one packet describes it. */
export interface Sighting {
  /** Instance name without type and domain, as people see it. */
  readonly name: string;
  readonly port: number;
  /** Addresses at which it can be reached, the packet's own sender first. IPv6 link-local ones are left out. */
  readonly addresses: readonly string[];
  readonly ttlS: number;
  readonly txt: ServiceTxt;
}

/** What a packet says about `_rushlight._tcp`. */
export interface PacketContent {
  readonly sightings: readonly Sighting[];
  /** Names of instances that said goodbye (TTL 0, RFC 6762 section 10.1). */
  readonly goodbyes: readonly string[];
  /** Full names of instances the packet names without describing them: ask for these. */
  readonly incomplete: readonly string[];
  /** Descriptions that break the rules of the TXT record. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Reads a response. Each packet is read on its own: responders put SRV, TXT and addresses beside a PTR (RFC 6763 section 12.1);
 * for one that does not, `incomplete` has the names to ask for.
 */
export function readPacket(packet: MdnsPacket, sender: string): PacketContent {
  const records = [...packet.answers, ...packet.additionals];
  const alive = records.filter((record) => record.ttl !== 0);
  const sightings: Sighting[] = [];
  const incomplete: string[] = [];
  const refused: { name: string; reason: string }[] = [];
  for (const fullName of [...instances(alive)].slice(0, maxInstances)) {
    const service = find(alive, 'SRV', fullName);
    const text = find(alive, 'TXT', fullName);
    const target = service === undefined ? null : parseTarget(service.data);
    if (service === undefined || text === undefined || target === null) {
      incomplete.push(fullName);
      continue;
    }
    const name = instanceName(fullName);
    const txt = serviceTxtSchema.safeParse(txtPairs(byteStrings(text.data)));
    if (!txt.success) {
      refused.push({ name, reason: txt.error.issues.map((issue) => issue.message).join(', ') });
      continue;
    }
    const addresses = addressesOf(alive, target.host, sender);
    sightings.push({ name, port: target.port, addresses, ttlS: service.ttl ?? 120, txt: txt.data });
  }
  const goodbyes = records
    .filter((record) => record.ttl === 0 && isPointer(record))
    .map((record) => instanceName(String(record.data)))
    .slice(0, maxInstances);
  return { sightings, goodbyes, incomplete, refused };
}

function isPointer(record: MdnsRecord): boolean {
  return record.type === 'PTR' && sameName(record.name, serviceDomain) && typeof record.data === 'string';
}

function instances(records: readonly MdnsRecord[]): Set<string> {
  const names = new Set<string>();
  for (const record of records) {
    if (isPointer(record)) names.add(String(record.data).toLowerCase());
    const isInstance = record.name.toLowerCase().endsWith(`.${serviceDomain}`);
    if (isInstance && (record.type === 'SRV' || record.type === 'TXT')) names.add(record.name.toLowerCase());
  }
  return names;
}

function find(records: readonly MdnsRecord[], type: string, name: string): MdnsRecord | undefined {
  return records.find((record) => record.type === type && sameName(record.name, name));
}

function parseTarget(data: unknown): { host: string; port: number } | null {
  if (typeof data !== 'object' || data === null || !('target' in data) || !('port' in data)) return null;
  const { target, port } = data;
  if (typeof target !== 'string' || typeof port !== 'number' || port < 1 || port > 65_535) return null;
  return { host: target, port };
}

function addressesOf(records: readonly MdnsRecord[], host: string, sender: string): string[] {
  const listed = records
    .filter((record) => (record.type === 'A' || record.type === 'AAAA') && sameName(record.name, host))
    .map((record) => String(record.data))
    .filter((address) => !/^fe[89ab]/i.test(address));
  // The sender's address has just proven to reach us; listed ones may belong to a network we are not in.
  const ordered = [...listed.filter((address) => !address.includes(':')), ...listed];
  const all = listed.length === 0 || listed.includes(sender) ? [sender, ...ordered] : ordered;
  return [...new Set(all)].filter((address) => isIP(address) !== 0).slice(0, maxAddresses);
}

function byteStrings(data: unknown): Uint8Array[] {
  const list: readonly unknown[] = Array.isArray(data) ? data : [data];
  return list.filter((item) => item instanceof Uint8Array);
}

function instanceName(fullName: string): string {
  return fullName.slice(0, -(serviceDomain.length + 1));
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
