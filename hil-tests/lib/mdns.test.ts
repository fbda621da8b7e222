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

test('an answer gives its records, and whether they are about the question', () => {
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

test('a question is no answer', () => {
  expect(recordsOf(encodeQuestion({ name: service, type: 'PTR' }))).toEqual([]);
});

test('nothing that comes off the wire is too much', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(answer.length), (bytes, length) => {
      expect(recordsOf(Buffer.concat([answer.subarray(0, length), bytes]))).toBeInstanceOf(Array);
    }),
  );
});
