import { decode, encode } from 'dns-packet';

/** A question on the link (RFC 6762), such as `{ name: 'stage.local', type: 'A' }`. */
export interface MdnsQuestion {
  readonly name: string;
  readonly type: 'A' | 'PTR';
}

/** A record of an answer; `data` as text, the strings of a TXT record one per line. */
export interface MdnsRecord {
  readonly name: string;
  readonly type: string;
  readonly data: string;
}

/** The DNS message of a question. */
export function encodeQuestion(question: MdnsQuestion): Buffer {
  return encode({ type: 'query', id: 0, flags: 0, questions: [question] });
}

/** The records of an answer, including additional ones; empty if it is no answer. Never throws. */
export function recordsOf(message: Uint8Array): MdnsRecord[] {
  try {
    const { type, answers = [], additionals = [] } = decode(Buffer.from(message));
    if (type !== 'response') return [];
    return [...answers, ...additionals].map((record) => ({
      name: record.name,
      type: record.type,
      data: textOf('data' in record ? record.data : ''),
    }));
  } catch {
    return []; // the library throws at whatever is no DNS message
  }
}

/** Whether the answer is about the question. */
export function answers({ name, type }: MdnsQuestion, records: readonly MdnsRecord[]): boolean {
  return records.some((record) => record.type === type && record.name.toLowerCase() === name.toLowerCase());
}

function textOf(data: unknown): string {
  if (typeof data === 'string') return data;
  if (Buffer.isBuffer(data)) return data.toString('utf8');
  return Array.isArray(data) ? data.map(textOf).join('\n') : JSON.stringify(data);
}
