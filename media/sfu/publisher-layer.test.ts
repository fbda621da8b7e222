import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildRtp, parseRtp, rtpExtension } from '../rtp/rtp-packet.ts';
import { LayerFilter } from './publisher-layer.ts';

const plain = buildRtp({
  ...{ marker: false, payloadType: 96, sequence: 1, timestamp: 2, ssrc: 3 },
  payload: Buffer.from('payload'),
});

/** A packet with header extensions (RFC 8285), in the short or the long form. */
function extended(extensions: readonly [id: number, text: string][], oneByte = true, ssrc = 3): Buffer {
  const elements = extensions.map(([id, text]) => {
    const head = oneByte ? [(id << 4) | (text.length - 1)] : [id, text.length];
    return Buffer.concat([Buffer.from(head), Buffer.from(text, 'latin1')]);
  });
  const bytes = Buffer.concat(elements);
  const padded = Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(oneByte ? 0xbede : 0x1000, 0);
  head.writeUInt16BE(padded.length / 4, 2);
  const fixed = Buffer.from(plain.subarray(0, 12));
  fixed[0] = (fixed[0] ?? 0) | 0x10;
  fixed.writeUInt32BE(ssrc, 8);
  return Buffer.concat([fixed, head, padded, plain.subarray(12)]);
}

function packetOf(datagram: Buffer) {
  const packet = parseRtp(datagram);
  if (packet === null) throw new Error('not a packet');
  return packet;
}

describe('Header extensions', () => {
  it.each([true, false])('are found among others (short form: %s)', (oneByte) => {
    const datagram = extended(
      [
        [1, '0'],
        [2, 'high'],
        [3, 'x'],
      ],
      oneByte,
    );
    expect([1, 2, 3, 4].map((id) => rtpExtension(datagram, id))).toEqual(['0', 'high', 'x', '']);
    expect(packetOf(datagram).payload.toString()).toBe('payload');
  });

  it('break nothing, whatever arrives', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 12, maxLength: 64 }),
        fc.integer({ min: 1, max: 255 }),
        (bytes, id) => {
          const datagram = Buffer.from(bytes);
          datagram[0] = 0x90 | ((datagram[0] ?? 0) & 0x0f);
          expect(rtpExtension(datagram, id).length).toBeLessThanOrEqual(255);
        },
      ),
    );
  });
});

describe('One layer of several', () => {
  const names = { rid: 'a', ridExtension: 2, repairedRidExtension: 3 };
  const admits = (filter: LayerFilter, datagram: Buffer, isRepair = false) =>
    filter.admits(packetOf(datagram), datagram, isRepair);

  it('is selected by its name and continues without it', () => {
    const filter = new LayerFilter(names, true);
    expect(admits(filter, extended([[2, 'a']], true, 10))).toBe(true);
    expect(admits(filter, extended([[2, 'b']], true, 20))).toBe(false);
    expect(admits(filter, extended([], true, 10))).toBe(true);
    expect(admits(filter, extended([], true, 20))).toBe(false);
    expect(admits(filter, extended([[3, 'a']], true, 11), true)).toBe(true);
  });

  it('changes to another one by the names given before', () => {
    const filter = new LayerFilter(names, true);
    admits(filter, extended([[2, 'a']], true, 10));
    admits(filter, extended([[2, 'b']], true, 20));
    filter.rename('b');
    expect(admits(filter, extended([], true, 10))).toBe(false);
    expect(admits(filter, extended([], true, 20))).toBe(true);
  });

  it('is the only one of a publisher that turns out to name none', () => {
    const [full, small] = [new LayerFilter(names, true), new LayerFilter({ ...names, rid: 'b' }, false)];
    const taken = Array.from({ length: 40 }, () => [admits(full, plain), admits(small, plain)]);
    expect(taken[0]).toEqual([false, false]);
    expect(taken.at(-1)).toEqual([true, false]);
  });
});
