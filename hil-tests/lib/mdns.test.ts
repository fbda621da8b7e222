import { encode } from 'dns-packet';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answers, encodeQuestion, recordsOf } from './mdns.ts';

const service = '_rushlight._tcp.local';
const answer = encode({
  type: 'response',
  answers: [{ type: 'PTR', name: service, data: `stage.${service}` }],
  additionals: [
    { type: 'TXT', name: `stage.${service}`, data: ['role=hub', 'ver=0.1.0'] },
    { type: 'A', name: 'stage.local', data: '10.99.0.2' },
  ],
});

test('returns the records of an answer and whether they match the question', () => {
  const records = recordsOf(answer);
  expect(records).toEqual([
    { name: service, type: 'PTR', data: `stage.${service}` },
    { name: `stage.${service}`, type: 'TXT', data: 'role=hub\nver=0.1.0' },
    { name: 'stage.local', type: 'A', data: '10.99.0.2' },
  ]);
  expect(answers({ name: service, type: 'PTR' }, records)).toBe(true);
  expect(answers({ name: 'STAGE.local', type: 'A' }, records)).toBe(true);
  expect(answers({ name: 'other.local', type: 'A' }, records)).toBe(false);
});

test('does not take a question for an answer', () => {
  expect(recordsOf(encodeQuestion({ name: service, type: 'PTR' }))).toEqual([]);
});

test('handles any bytes from the wire', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(answer.length), (bytes, length) => {
      expect(recordsOf(Buffer.concat([answer.subarray(0, length), bytes]))).toBeInstanceOf(Array);
    }),
  );
});
