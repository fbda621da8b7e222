import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mdnsAnswers, mdnsQuestion } from './mdns-frame.ts';

/** An answer of avahi 0.8 for rig.local, with the Ethernet, IPv4 and UDP headers in front. */
function answerFrame(name: string, address: number[]): Buffer {
  const label = Buffer.from(name);
  const dns = Buffer.concat([
    Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, label.length]),
    label,
    Buffer.from([5]),
    Buffer.from('local'),
    Buffer.from([0, 0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, ...address]),
  ]);
  const frame = mdnsQuestion(name).subarray(0, 42);
  return Buffer.concat([frame, dns]);
}

test('the answer to a question is found', () => {
  expect(mdnsAnswers(answerFrame('rig', [169, 254, 1, 2]), 'rig')).toEqual(['169.254.1.2']);
  expect(mdnsAnswers(answerFrame('other', [169, 254, 1, 2]), 'rig')).toEqual([]);
});

test('a question is no answer', () => expect(mdnsAnswers(mdnsQuestion('rig'), 'rig')).toEqual([]));

test('the question is well formed', () => {
  const frame = mdnsQuestion('rig');
  expect(frame.readUInt16BE(16)).toBe(frame.length - 14);
  let sum = 0;
  for (let offset = 14; offset < 34; offset += 2) sum += frame.readUInt16BE(offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  expect(sum).toBe(0xffff);
});

test('nothing that comes off the wire is too much', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const frame = Buffer.concat([answerFrame('rig', [1, 2, 3, 4]).subarray(0, 54), Buffer.from(bytes)]);
      expect(mdnsAnswers(frame, 'rig')).toBeInstanceOf(Array);
    }),
  );
});
