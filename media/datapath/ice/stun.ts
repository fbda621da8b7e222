/** STUN binding requests and responses as ICE uses them (RFC 8489, RFC 8445 section 7). */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { crc32 } from 'node:zlib';

/** The magic cookie. */
const STUN_MAGIC = 0x2112a442;
const FINGERPRINT_XOR = 0x5354554e;

/** Message types. */
export const StunType = { REQUEST: 0x0001, INDICATION: 0x0011, SUCCESS: 0x0101, ERROR: 0x0111 } as const;

/** Attribute types. */
export const StunAttribute = {
  USERNAME: 0x0006,
  MESSAGE_INTEGRITY: 0x0008,
  ERROR_CODE: 0x0009,
  UNKNOWN_ATTRIBUTES: 0x000a,
  XOR_MAPPED_ADDRESS: 0x0020,
  PRIORITY: 0x0024,
  USE_CANDIDATE: 0x0025,
  FINGERPRINT: 0x8028,
  ICE_CONTROLLED: 0x8029,
  ICE_CONTROLLING: 0x802a,
} as const;

/** A check fits a packet that no link fragments; anything longer is not a check, and not read. */
const MAX_BYTES = 1500;
/** Types below 0x8000 that checks may carry: what we read, and what may be left unread (RFC 8489, section 18.3). */
const knownRequired: ReadonlySet<number> = new Set([
  0x0001,
  0x0014,
  0x0015,
  0x001c,
  ...requiredOf(StunAttribute),
]);

/** A message that was read. */
export interface StunMessage {
  readonly type: number;
  /** 12 bytes. */
  readonly transaction: Buffer;
  /** First value of each attribute type. */
  readonly attributes: ReadonlyMap<number, Buffer>;
  /** Types below 0x8000, which must be understood, that are not: the message asks for what we do not know. */
  readonly unknownRequired: readonly number[];
  /** Offset of MESSAGE-INTEGRITY in the datagram; null if there is none. */
  readonly integrityOffset: number | null;
}

/** True for datagrams that may be STUN on a multiplexed port (RFC 7983). */
export function isStun(datagram: Buffer): boolean {
  return datagram.length >= 20 && (datagram[0] ?? 255) < 4 && datagram.readUInt32BE(4) === STUN_MAGIC;
}

/** Reads a message; null if it is malformed. Attributes after MESSAGE-INTEGRITY are not authenticated and left out. */
export function parseStun(datagram: Buffer): StunMessage | null {
  if (!isStun(datagram) || datagram.length > MAX_BYTES) return null;
  const length = datagram.readUInt16BE(2);
  if (length % 4 !== 0 || length + 20 !== datagram.length) return null;
  const attributes = new Map<number, Buffer>();
  let integrityOffset: number | null = null;
  let offset = 20;
  while (offset + 4 <= datagram.length) {
    const type = datagram.readUInt16BE(offset);
    const size = datagram.readUInt16BE(offset + 2);
    if (offset + 4 + size > datagram.length) return null;
    if (integrityOffset === null && !attributes.has(type)) {
      attributes.set(type, datagram.subarray(offset + 4, offset + 4 + size));
    }
    if (type === StunAttribute.MESSAGE_INTEGRITY && integrityOffset === null) {
      if (size !== 20) return null;
      integrityOffset = offset;
    }
    offset += 4 + Math.ceil(size / 4) * 4;
  }
  return {
    type: datagram.readUInt16BE(0),
    unknownRequired: [...attributes.keys()].filter((type) => type < 0x8000 && !knownRequired.has(type)),
    transaction: datagram.subarray(8, 20),
    attributes,
    integrityOffset,
  };
}

/** Checks MESSAGE-INTEGRITY under the short-term password (RFC 8489, section 14.5). */
export function hasIntegrity(datagram: Buffer, message: StunMessage, password: string): boolean {
  const given = message.attributes.get(StunAttribute.MESSAGE_INTEGRITY);
  if (given === undefined || message.integrityOffset === null) return false;
  const covered = Buffer.from(datagram.subarray(0, message.integrityOffset));
  covered.writeUInt16BE(message.integrityOffset - 20 + 24, 2);
  return timingSafeEqual(createHmac('sha1', password).update(covered).digest(), given);
}

/** Writes a message with MESSAGE-INTEGRITY and FINGERPRINT. */
export function buildStun(
  type: number,
  transaction: Buffer,
  attributes: readonly (readonly [type: number, value: Buffer])[],
  password: string,
): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(type, 0);
  header.writeUInt32BE(STUN_MAGIC, 4);
  transaction.copy(header, 8);
  const body = Buffer.concat(attributes.map(([key, value]) => attribute(key, value)));
  header.writeUInt16BE(body.length + 24, 2);
  const digest = createHmac('sha1', password).update(header).update(body).digest();
  const integrity = attribute(StunAttribute.MESSAGE_INTEGRITY, digest);
  header.writeUInt16BE(body.length + integrity.length + 8, 2);
  const covered = Buffer.concat([header, body, integrity]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE((crc32(covered) ^ FINGERPRINT_XOR) >>> 0);
  return Buffer.concat([covered, attribute(StunAttribute.FINGERPRINT, check)]);
}

/** Value of ERROR-CODE (RFC 8489, section 14.8). */
export function errorCodeValue(code: number, reason: string): Buffer {
  return Buffer.concat([Buffer.from([0, 0, Math.floor(code / 100), code % 100]), Buffer.from(reason)]);
}

/** Value of XOR-MAPPED-ADDRESS (RFC 8489, section 14.2). */
export function xorMappedAddress(address: string, port: number, transaction: Buffer): Buffer {
  const bytes = addressBytes(address);
  const head = Buffer.alloc(4);
  head.writeUInt8(bytes.length === 4 ? 1 : 2, 1);
  head.writeUInt16BE(port ^ (STUN_MAGIC >>> 16), 2);
  const mask = Buffer.concat([uint32(STUN_MAGIC), transaction]);
  return Buffer.concat([head, bytes.map((byte, i) => byte ^ (mask[i] ?? 0))]);
}

/** 4 or 16 bytes. A zone is not part of the address. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [before = '', after] = address.replace(/%.*/, '').split('::');
  const groups = (text = ''): number[] =>
    text
      .split(':')
      .filter((group) => group !== '')
      .flatMap(groupsOf);
  const [first, last] = [groups(before), groups(after)];
  const middle = Array.from({ length: 8 - first.length - last.length }, () => 0);
  return Buffer.from([...first, ...middle, ...last].flatMap((group) => [group >> 8, group & 0xff]));
}

/** Also the two of an embedded IPv4 address. */
function groupsOf(text: string): number[] {
  if (!isIPv4(text)) return [Number.parseInt(text, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}

/** Four bytes, big endian. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function requiredOf(attributes: Readonly<Record<string, number>>): number[] {
  return Object.values(attributes).filter((type) => type < 0x8000);
}

function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}
