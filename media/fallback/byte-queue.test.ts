import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteQueue } from './byte-queue.ts';

it('A queue of bytes holds what arrived and was not dropped', () => {
  const step = fc.tuple(fc.uint8Array({ maxLength: 9000 }), fc.nat({ max: 12_000 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const queue = new ByteQueue();
      let expected = Buffer.alloc(0);
      for (const [bytes, dropped] of steps) {
        queue.append(Buffer.from(bytes));
        expected = Buffer.concat([expected, bytes]);
        expect(queue.bytes.equals(expected)).toBe(true);
        queue.drop(dropped);
        expected = expected.subarray(dropped);
        expect(queue.length).toBe(expected.length);
      }
    }),
    { numRuns: 50 },
  );
});
