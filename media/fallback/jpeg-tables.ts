/**
 * The Huffman tables that motion JPEG leaves out (ITU-T T.81, K.3.3; every decoder of a USB camera knows them): browsers do not
 * show a picture without tables.
 */

/** Both tables for luma and both for chroma, as one DHT segment. */
export const standardHuffmanTables = Buffer.from(
  [
    'ffc401a2',
    '0000010501010101010100000000000000000102030405060708090a0b01000301010101010101010100000000000001',
    '02030405060708090a0b100002010303020403050504040000017d010203000411051221314106135161072271143281',
    '91a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a53545556',
    '5758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3',
    'b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa110002',
    '0102040403040705040400010277000102031104052131061241510761711322328108144291a1b1c109233352f01562',
    '72d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768696a',
    '737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5',
    'c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa',
  ].join(''),
  'hex',
);

const marker = { DHT: 0xc4, SOS: 0xda, DAC: 0xcc } as const;

/** A picture with the standard tables if it has none of its own; otherwise unchanged. Never throws. */
export function withHuffmanTables(jpeg: Buffer): Buffer {
  let at = 2;
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff) {
    const code = jpeg[at + 1];
    if (code === 0xff) {
      at += 1; // fill byte
      continue;
    }
    if (code === marker.DHT || code === marker.DAC) return jpeg;
    if (code === marker.SOS)
      return Buffer.concat([jpeg.subarray(0, at), standardHuffmanTables, jpeg.subarray(at)]);
    at += 2 + jpeg.readUInt16BE(at + 2);
  }
  return jpeg;
}
