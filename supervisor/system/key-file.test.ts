import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type KeyEntry, keyOf, readKeyFile, withCheck } from './key-file.ts';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });

const entry: fc.Arbitrary<KeyEntry> = fc.record({
  id: hex(12),
  role: fc.constantFrom('owner', 'operator', 'viewer', 'camera'),
  subject: fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme' }),
  sha256: hex(64),
  createdAt: fc.constant('2026-11-29T10:00:00.000Z'),
});

const entries = fc.uniqueArray(entry, { selector: ({ id }) => id, maxLength: 6 });

const damage = fc.oneof(
  fc.record({
    kind: fc.constant('flip' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    bit: fc.nat(7),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({
    kind: fc.constant('nuls' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    count: fc.integer({ min: 1, max: 200 }),
  }),
  fc.record({
    kind: fc.constant('noise' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    bytes: fc.uint8Array({ maxLength: 20 }),
  }),
);

type Damage = typeof damage extends fc.Arbitrary<infer D> ? D : never;

function damaged(bytes: Buffer, one: Damage): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.min(copy.length - 1, Math.floor(one.at * copy.length));
  if (at < 0) return copy;
  switch (one.kind) {
    case 'flip':
      copy[at] = (copy[at] ?? 0) ^ (1 << one.bit);
      return copy;
    case 'cut':
      return copy.subarray(0, at);
    case 'nuls':
      return copy.fill(0, at, Math.min(copy.length, at + one.count));
    case 'noise':
      copy.set(one.bytes.subarray(0, copy.length - at), at);
      return copy;
  }
}

const textOf = (keys: readonly KeyEntry[]) => `${JSON.stringify({ version: 1, keys }, null, 2)}\n`;
const granted = (keys: readonly KeyEntry[]) => keys.map((key) => JSON.stringify(keyOf(key)));

test('reads everything it wrote, with and without checks', () => {
  fc.assert(
    fc.property(entries, fc.boolean(), (keys, checked) => {
      // What a disk made of a character is refused, unless a check says that it was written so.
      fc.pre(checked || !keys.some(({ subject }) => subject.includes('\uFFFD')));
      const { file, damage } = readKeyFile(textOf(checked ? keys.map(withCheck) : keys));
      expect(damage).toBeNull();
      expect(granted(file.keys)).toEqual(granted(keys));
    }),
  );
});

test('random damage never opens more than before and never throws', () => {
  fc.assert(
    fc.property(entries, fc.array(damage, { minLength: 1, maxLength: 4 }), (keys, harm) => {
      const bytes = harm.reduce(damaged, Buffer.from(textOf(keys.map(withCheck))));
      const { file } = readKeyFile(bytes.toString('utf8'));
      const before = new Set(granted(keys));
      for (const key of granted(file.keys)) expect(before.has(key)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test('a flipped bit affects at most its own entry', () => {
  const keys = fc.sample(entry, { numRuns: 4, seed: 7 }).map(withCheck);
  const bytes = Buffer.from(textOf(keys));
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const copy = Buffer.from(bytes);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const { file } = readKeyFile(copy.toString('utf8'));
    const left = granted(file.keys).filter((key) => granted(keys).includes(key));
    expect(left.length, `bit ${bit}`).toBeGreaterThanOrEqual(keys.length - 1);
    expect(file.keys.filter((key) => keyOf(key) !== null)).toHaveLength(left.length);
  }
});

test('a truncated file keeps every entry before the cut, also those of an older release', () => {
  const keys = fc.sample(entry, { numRuns: 4, seed: 9 });
  for (const list of [keys, keys.map(withCheck)]) {
    const text = textOf(list);
    const end = text.indexOf('}', text.indexOf(list[2]?.id ?? '?'));
    const { file, damage } = readKeyFile(text.slice(0, end + 1));
    expect(granted(file.keys)).toEqual(granted(list.slice(0, 3)));
    expect(damage).toContain('3 entries');
  }
});

test.each([
  ['', 'empty'],
  ['\0'.repeat(64), 'no longer a key file'],
  ['null', 'no longer a key file'],
  ['[]', 'no longer a key file'],
  ['{"version":1}', 'no longer a key file'],
  ['{"version":1,"keys":{}}', 'no longer a key file'],
  ['{"version":"1","keys":[]}', 'no longer a key file'],
  ['{"version":1,"keys":[1,null,"x",[],{}]}', '5 of 5 entries'],
])('%j holds no keys and is reported as damaged', (text, words) => {
  const { file, damage } = readKeyFile(text);
  expect(file.keys).toEqual([]);
  expect(damage).toContain(words);
});

test('an entry whose check lost its name is not mistaken for one of an older release', () => {
  const [key] = fc.sample(entry, { numRuns: 1, seed: 3 });
  if (key === undefined) throw new Error('no sample');
  const text = textOf([withCheck(key)])
    .replace('"check"', '"chdck"')
    .replace(`"${key.role}"`, '"owner"');
  expect(readKeyFile(text).file.keys).toEqual([]);
});
