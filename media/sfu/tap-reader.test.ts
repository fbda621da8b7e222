import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitAnnexB } from '../signaling/recording.fake.ts';
import { TapReader } from './tap-reader.ts';

function open() {
  const stream = new PassThrough();
  let losses = 0;
  const reader = new TapReader(stream, () => {
    losses += 1;
  });
  /** The second byte of each NAL unit that came out. */
  const numbers = () => splitAnnexB(stream.read() ?? Buffer.alloc(0)).map((nal) => nal[1]);
  return { reader, stream, numbers, losses: () => losses };
}

/** A picture of one packet, with a number in it. */
const packet = (number: number) => Buffer.from([0x41, number, 0x80]);

describe('TapReader', () => {
  it('reorders late packets silently', () => {
    const order = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 9 });
    fc.assert(
      fc.property(order, fc.nat({ max: 70_000 }), (shuffled, first) => {
        const { reader, numbers, losses } = open();
        for (const number of [0, ...shuffled])
          reader.sendRtp({ marker: false }, first + number, packet(number));
        expect(numbers()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        expect(losses()).toBe(0);
      }),
    );
  });

  it('gives up on what never arrives, reports it once and rejects it afterwards', () => {
    const { reader, numbers, losses } = open();
    reader.sendRtp({ marker: false }, 10, packet(0));
    for (let i = 0; i < 100; i++) reader.sendRtp({ marker: false }, 12 + i, packet(i + 1));
    reader.sendRtp({ marker: false }, 11, packet(200));
    expect(numbers()).toEqual(Array.from({ length: 101 }, (_, i) => i));
    expect(losses()).toBe(1);
  });

  it('drops only the unit that lacks a part', () => {
    const { reader, stream } = open();
    const part = (header: number) => Buffer.from([0x7c, header, 0xaa]);
    reader.sendRtp({ marker: false }, 1, part(0x85));
    for (let i = 0; i < 70; i++) reader.sendRtp({ marker: false }, 3 + i, i === 0 ? part(0x45) : packet(i));
    const nals = splitAnnexB(stream.read());
    expect(nals[0]).toEqual(packet(1));
    expect(nals).toHaveLength(69);
  });

  it('ends each picture with a delimiter', () => {
    const { reader, stream } = open();
    reader.sendRtp({ marker: true }, 1, packet(1));
    expect(stream.read()?.toString('hex')).toBe('00000001410180' + '0000000109f0');
  });
});
