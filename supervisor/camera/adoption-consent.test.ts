import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  aloneForMs,
  type ConsentFacts,
  consentTo,
  HeardHubs,
  hubKey,
  rememberForMs,
} from './adoption-consent.ts';

const tls = 'ab'.repeat(32);
const base: ConsentFacts = {
  hub: 'mine',
  heard: [{ key: 'mine', sinceMs: 0 }],
  isNamed: false,
  isOwn: false,
  isConfirmed: false,
  hasForgotten: false,
  nowMs: aloneForMs,
};
const other = { key: 'greedy', sinceMs: 0 };

test.each<[string, Partial<ConsentFacts>, string]>([
  ['takes the only hub, once it was alone for a while', {}, 'given'],
  ['waits that while first', { nowMs: aloneForMs - 1 }, 'soon'],
  ['asks the owner where another hub is there, too', { heard: [...base.heard, other] }, 'several-hubs'],
  ['asks the owner where the only hub there is another one', { heard: [other] }, 'several-hubs'],
  ['asks the owner where the hub was not heard', { heard: [] }, 'several-hubs'],
  ['asks the owner after it was made to forget a hub', { hasForgotten: true }, 'forgot-hub'],
  ['takes the hub that the owner confirmed', { hasForgotten: true, isConfirmed: true }, 'given'],
  ['takes the hub that the settings name', { heard: [], isNamed: true, hasForgotten: true }, 'given'],
  ['takes its own hub, which proved itself', { heard: [other], isOwn: true }, 'given'],
])('a camera %s', (_what, facts, consent) => {
  expect(consentTo({ ...base, ...facts })).toBe(consent);
});

const key = fc.constantFrom('mine', 'greedy', 'third', 'fourth');
const facts: fc.Arbitrary<ConsentFacts> = fc.record({
  hub: key,
  heard: fc.uniqueArray(fc.record({ key, sinceMs: fc.nat(40_000) }), { selector: (one) => one.key }),
  isNamed: fc.boolean(),
  isOwn: fc.boolean(),
  isConfirmed: fc.boolean(),
  hasForgotten: fc.boolean(),
  nowMs: fc.nat(40_000),
});

test('without the owner, the settings or a proof a camera accepts only the single hub around, and never after forgetting one', () => {
  fc.assert(
    fc.property(facts, (one) => {
      const consent = consentTo(one);
      const isSure = one.isNamed || one.isOwn || one.isConfirmed;
      const isOnlyOne = one.heard.length === 1 && one.heard[0]?.key === one.hub;
      const may = isSure ? ['given'] : ['several-hubs', 'forgot-hub'];
      const mayAlone = isSure || one.hasForgotten ? may : ['given', 'soon'];
      expect(isOnlyOne ? mayAlone : may).toContain(consent);
    }),
  );
});

test('one more hub on the network never makes a camera accept a key that it would not accept otherwise', () => {
  fc.assert(
    fc.property(facts, key, (one, more) => {
      fc.pre(one.heard.length > 0 && one.heard.every((heard) => heard.key !== more));
      const louder = { ...one, heard: [...one.heard, { key: more, sinceMs: 0 }] };
      if (consentTo(louder) === 'given') expect(consentTo(one)).toBe('given');
    }),
  );
});

test('a hub counts for minutes after it was seen, whatever is seen in between', () => {
  const heard = new HeardHubs();
  heard.note('mine', 0);
  for (let n = 1; n <= 1000; n += 1) heard.note(`greedy-${n % 3}`, n);
  expect(heard.list([], 1000).map((one) => one.key)).toContain('mine');
  expect(heard.list([], rememberForMs + 1).map((one) => one.key)).not.toContain('mine');
  expect(heard.list(['mine'], rememberForMs + 1).map((one) => one.key)).toContain('mine');
});

test('a hub that returns after a long silence has to be alone again', () => {
  const heard = new HeardHubs();
  heard.note('mine', 0);
  heard.note('mine', 1000);
  expect(heard.list([], 1000)).toEqual([{ key: 'mine', sinceMs: 0 }]);
  heard.note('mine', 2 * rememberForMs);
  expect(heard.list([], 2 * rememberForMs)).toEqual([{ key: 'mine', sinceMs: 2 * rememberForMs }]);
});

test('strangers who announce many hubs use little memory, and the count stays above one', () => {
  const heard = new HeardHubs();
  heard.note('mine', 0);
  for (let n = 0; n < 10_000; n += 1) heard.note(`greedy-${n}`, n);
  const list = heard.list([], 10_000);
  expect(list.length).toBeLessThanOrEqual(64);
  expect(list.length).toBeGreaterThan(1);
});

test('a hub with HTTPS is identified by its certificate; without, another address is another hub, whatever its id', () => {
  expect(hubKey('hub', tls, ['https://10.0.0.1'])).toBe(hubKey('else', tls, ['https://10.0.0.66']));
  expect(hubKey('hub', null, ['http://10.0.0.1'])).not.toBe(hubKey('hub', null, ['http://10.0.0.66']));
  const both = ['http://10.0.0.1', 'http://10.0.0.66'];
  expect(hubKey('hub', null, both)).not.toBe(hubKey('hub', null, ['http://10.0.0.1']));
  expect(hubKey('hub', null, both)).toBe(hubKey('hub', null, both.toReversed()));
});
