import fc from 'fast-check';

/**
 * What disks have been seen to do to a file: emptied, cut, filled with NULs, with a flipped bit, or with something else in its
 * place.
 */
export function damages(whole: string): fc.Arbitrary<Buffer> {
  const bytes = Buffer.from(whole);
  const at = fc.nat(bytes.length - 1);
  const cut = at.map((end) => bytes.subarray(0, end));
  const zeroed = at.map((start) =>
    Buffer.concat([bytes.subarray(0, start), Buffer.alloc(bytes.length - start)]),
  );
  const flipped = fc.tuple(at, fc.nat(7)).map(([index, bit]) => withFlipped(bytes, [[index, bit]]));
  const rotten = fc
    .array(fc.tuple(at, fc.nat(7)), { minLength: 2, maxLength: 40 })
    .map((bits) => withFlipped(bytes, bits));
  const longer = fc.nat(4096).map((length) => Buffer.concat([bytes, Buffer.alloc(length)]));
  return fc.oneof(
    fc.constantFrom(Buffer.alloc(0), Buffer.alloc(bytes.length), bytes.subarray(0, bytes.length / 2)),
    ...[cut, zeroed, longer, rotten],
    { arbitrary: flipped, weight: 5 },
    fc.uint8Array({ maxLength: 200 }).map((random) => Buffer.from(random)),
    fc.string().map((text) => Buffer.from(text)),
    fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
    reshaped(whole),
  );
}

/** Whether nothing can be read from it, whatever is expected. */
export function isNoDocument(bytes: Buffer): boolean {
  const value = parsed(bytes.toString());
  return typeof value !== 'object' || value === null || Array.isArray(value);
}

/** JSON of nearly the right shape: one of its values is changed, or missing. */
function reshaped(whole: string): fc.Arbitrary<Buffer> {
  const count = slotsOf(parsed(whole)).length;
  if (count === 0) return fc.constant(Buffer.from('{}'));
  const change = fc.option(fc.jsonValue({ maxDepth: 1 }), { nil: undefined });
  return fc.tuple(fc.nat(count - 1), change).map(([index, value]) => {
    const copy = parsed(whole);
    const slot = slotsOf(copy)[index];
    if (slot !== undefined) (slot.holder as Record<string, unknown>)[slot.key] = value;
    return Buffer.from(JSON.stringify(copy));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // A file of another kind has no values to change.
  }
}

/** Every place that contains a value. */
function slotsOf(value: unknown): { holder: object; key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [{ holder: value, key }, ...slotsOf(inner)]);
}

function withFlipped(bytes: Buffer, bits: readonly (readonly [index: number, bit: number])[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const [index, bit] of bits) copy[index] = (copy[index] ?? 0) ^ (1 << bit);
  return copy;
}
