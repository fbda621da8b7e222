/** DTLS records in datagrams (RFC 6347, section 4.1), as far as a filter in front of an endpoint needs them. */

/** Content types. */
export const RecordType = { CHANGE_CIPHER_SPEC: 20, ALERT: 21, HANDSHAKE: 22 } as const;
/** Types of handshake messages. */
export const HandshakeType = {
  CLIENT_HELLO: 1,
  SERVER_KEY_EXCHANGE: 12,
  SERVER_HELLO_DONE: 14,
  CERTIFICATE_VERIFY: 15,
} as const;

/** Length of a record's header. */
const RECORD_HEADER_BYTES = 13;
const MESSAGE_HEADER_BYTES = 12;

/** The records of a datagram; an incomplete one at the end is left out. */
export function splitRecords(datagram: Buffer): Buffer[] {
  const records: Buffer[] = [];
  let offset = 0;
  while (offset + RECORD_HEADER_BYTES <= datagram.length) {
    const end = offset + RECORD_HEADER_BYTES + datagram.readUInt16BE(offset + 11);
    if (end > datagram.length) break;
    records.push(datagram.subarray(offset, end));
    offset = end;
  }
  return records;
}

/** The epoch of a record. */
export function epochOf(record: Buffer): number {
  return record.readUInt16BE(3);
}

/** One record per handshake message (or fragment) of a plain record. */
export function splitMessages(record: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  let offset = RECORD_HEADER_BYTES;
  while (offset + MESSAGE_HEADER_BYTES <= record.length) {
    const end = offset + MESSAGE_HEADER_BYTES + record.readUIntBE(offset + 9, 3);
    if (end > record.length) break;
    const header = Buffer.from(record.subarray(0, RECORD_HEADER_BYTES));
    header.writeUInt16BE(end - offset, 11);
    messages.push(Buffer.concat([header, record.subarray(offset, end)]));
    offset = end;
  }
  return messages;
}

/** The message, or the fragment of it, in a record made by `splitMessages`; `total` is the whole message's length. */
export function messageOf(record: Buffer): {
  type: number;
  sequence: number;
  offset: number;
  length: number;
  total: number;
} {
  const at = RECORD_HEADER_BYTES;
  return {
    type: record.readUInt8(at),
    total: record.readUIntBE(at + 1, 3),
    sequence: record.readUInt16BE(at + 4),
    offset: record.readUIntBE(at + 6, 3),
    length: record.readUIntBE(at + 9, 3),
  };
}
