import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mdnsFrame, mdnsMessage } from './mdns-frame.ts';

const message = Buffer.from('a message of a dozen bytes and more');

test('a message survives a round trip through its frame', () => {
  expect(mdnsMessage(mdnsFrame(message))).toEqual(message);
});

test('the headers are well formed', () => {
  const frame = mdnsFrame(message);
  expect(frame.readUInt16BE(16)).toBe(frame.length - 14);
  let sum = 0;
  for (let offset = 14; offset < 34; offset += 2) sum += frame.readUInt16BE(offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  expect(sum).toBe(0xffff);
});

test('handles any bytes from the wire', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(60), (bytes, length) => {
      const frame = Buffer.concat([mdnsFrame(message).subarray(0, length), Buffer.from(bytes)]);
      const found = mdnsMessage(frame);
      expect(found === null || Buffer.isBuffer(found)).toBe(true);
    }),
  );
});
