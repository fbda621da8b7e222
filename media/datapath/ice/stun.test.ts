import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildStun,
  hasIntegrity,
  isStun,
  parseStun,
  StunAttribute,
  StunType,
  xorMappedAddress,
} from './stun.ts';

/** RFC 5769, section 2.1: sample request with short-term credentials. */
const SAMPLE = Buffer.from(
  [
    '000100582112a442b7e7a701bc34d686fa87dfae',
    '802200105354554e207465737420636c69656e74',
    '002400046e0001ff80290008932ff9b151263b36',
    '000600096576746a3a68367659202020',
    '000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2',
    '80280004e57a3bcf',
  ].join(''),
  'hex',
);

describe('STUN', () => {
  it('reads the sample of RFC 5769 and its integrity', () => {
    const message = parseStun(SAMPLE);
    expect(message?.type).toBe(StunType.REQUEST);
    expect(message?.attributes.get(StunAttribute.USERNAME)?.toString()).toBe('evtj:h6vY');
    expect(message && hasIntegrity(SAMPLE, message, 'VOkJxbRl1RmTxUk/WvJxBt')).toBe(true);
    expect(message && hasIntegrity(SAMPLE, message, 'another')).toBe(false);
  });

  it('is not looked for in anything longer than a packet', () => {
    const attributes = Array.from(
      { length: 15_000 },
      (_, i) => [0x8000 + (i % 0x7000), Buffer.alloc(0)] as const,
    );
    expect(parseStun(buildStun(StunType.REQUEST, Buffer.alloc(12), attributes, 'password'))).toBeNull();
  });

  it('reads back what it writes and notices any change', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.nat(), (name, at) => {
        const transaction = Buffer.alloc(12, 7);
        const message = buildStun(
          StunType.SUCCESS,
          transaction,
          [
            [StunAttribute.USERNAME, Buffer.from(name)],
            [StunAttribute.XOR_MAPPED_ADDRESS, xorMappedAddress('192.0.2.1', 32853, transaction)],
          ],
          'password',
        );
        const parsed = parseStun(message);
        expect(parsed?.transaction).toEqual(transaction);
        expect(parsed?.attributes.get(StunAttribute.USERNAME)?.toString()).toBe(name);
        expect(parsed && hasIntegrity(message, parsed, 'password')).toBe(true);
        const covered = message.length - 32;
        const altered = Buffer.from(message);
        const index = 20 + (at % Math.max(1, covered - 20));
        altered.writeUInt8(altered.readUInt8(index) ^ 1, index);
        const reread = parseStun(altered);
        expect(reread !== null && hasIntegrity(altered, reread, 'password')).toBe(false);
      }),
    );
  });

  it('encodes the addresses of RFC 5769, sections 2.2 and 2.3', () => {
    const transaction = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex');
    const mapped = (address: string) => xorMappedAddress(address, 32853, transaction).toString('hex');
    expect(mapped('192.0.2.1')).toBe('0001a147e112a643');
    const six = '0002a1470113a9faa5d3f179bc25f4b5bed2b9d9';
    expect(mapped('2001:db8:1234:5678:11:2233:4455:6677')).toBe(six);
    expect(mapped('2001:DB8:1234:5678:0011:2233:68.85.102.119%eth0')).toBe(six);
  });

  it.each(['::', '::1', '1::', 'fd00::2:0:1', '1:2:3:4:5:6:7:8'])('encodes all 16 bytes of %s', (address) => {
    expect(xorMappedAddress(address, 0, Buffer.alloc(12))).toHaveLength(20);
  });

  it('never throws on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const datagram = Buffer.concat([Buffer.from('000100002112a442', 'hex'), Buffer.from(bytes)]);
        if (datagram.length >= 20) datagram.writeUInt16BE(datagram.length - 20, 2);
        isStun(datagram);
        parseStun(datagram);
      }),
    );
  });
});
