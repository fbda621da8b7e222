import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { FoundService } from '../discovery/service-browser.ts';
import { HubLocator } from './hub-locator.ts';
import { SightingBook } from './sighting-book.ts';

const log = pino({ level: 'silent' });
const network = { subscribe: () => () => {} };
const tls = 'ab'.repeat(32);
const real = 'https://10.0.0.1';

function sighting(
  address: string,
  options: { id?: string; sender?: string; tls?: string | null } = {},
): FoundService {
  const { id = 'hub', sender = address } = options;
  return {
    name: 'stage',
    port: 443,
    addresses: [address],
    ttlS: 120,
    sender,
    seenAtMs: performance.now(),
    txt: { id, role: 'hub', ver: '1', path: '/', tls: options.tls === undefined ? tls : options.tls },
  };
}

function pinned(pinnedTls: string | null = tls) {
  return new HubLocator({ override: 'auto', pinnedId: 'hub', pinnedTls, network, log });
}

function linkedAtReal() {
  const locator = pinned();
  locator.noteSighting(sighting('10.0.0.1'));
  const hub = locator.current();
  if (hub === null) throw new Error('not found');
  locator.linked(hub);
  return locator;
}

test('while the link lives, no sighting moves the hub and no goodbye removes it', () => {
  const locator = linkedAtReal();
  const told: (string | undefined)[] = [];
  locator.subscribe((hub) => told.push(hub?.url));
  for (let n = 0; n < 1000; n += 1) {
    locator.noteSighting(sighting(`10.6.${n >> 8}.${n & 255}`));
    locator.noteSighting(sighting('10.0.0.66', { sender: '10.0.0.1' }));
    locator.noteGoodbye('stage', '10.0.0.1');
  }
  expect(locator.current()?.url).toBe(real);
  // Whether the link still lives may be asked, seldom.
  expect(told.length).toBeLessThanOrEqual(1);
});

test('when the link ends, the address it proved is tried first, then what was announced meanwhile', () => {
  const locator = linkedAtReal();
  for (let n = 0; n < 1000; n += 1) locator.noteSighting(sighting(`10.6.${n >> 8}.${n & 255}`));
  locator.ended();
  locator.reportFailure(real);
  const hub = locator.current();
  expect(hub?.url).toBe(real);
  expect(hub?.otherUrls.length).toBeGreaterThan(0);
  expect(hub?.otherUrls.length).toBeLessThan(16);
});

test('one forger cannot displace the real hub, however much it announces', () => {
  const locator = pinned();
  locator.noteSighting(sighting('10.0.0.1'));
  for (let n = 0; n < 5000; n += 1) {
    locator.noteSighting(sighting('10.6.0.1', { sender: '10.0.0.66' }));
    locator.noteSighting(sighting('10.6.0.1', { sender: '10.0.0.66', id: `fake-${n}` }));
  }
  const { url, otherUrls } = locator.current() ?? { url: '', otherUrls: [] };
  expect([url, ...otherUrls].toSorted()).toEqual([real, 'https://10.6.0.1']);
});

test('addresses that do not answer make room, so that a moved hub is tried among any number of forgers', () => {
  const locator = pinned();
  for (let n = 0; n < 500; n += 1) locator.noteSighting(sighting(`10.6.${n >> 8}.${n & 255}`));
  const tried = locator.current();
  locator.reportFailure(tried?.url ?? '', ...(tried?.otherUrls ?? []));
  locator.noteSighting(sighting('10.0.0.9'));
  const { url, otherUrls } = locator.current() ?? { url: '', otherUrls: [] };
  expect([url, ...otherUrls]).toContain('https://10.0.0.9');
});

test('recognises a hub whose card moved to another board by its key', () => {
  const locator = pinned();
  locator.noteSighting(sighting('10.0.0.9', { id: 'other-board' }));
  expect(locator.current()).toMatchObject({ url: 'https://10.0.0.9', tlsFingerprint: tls });
});

test('if the hub has no key to show, nothing for it goes to another id', () => {
  const locator = pinned(null);
  locator.noteSighting(sighting('10.0.0.66', { id: 'a-stranger', tls: null }));
  expect(locator.current()).toBeNull();
  locator.noteSighting(sighting('10.0.0.1', { tls: null }));
  expect(locator.current()?.url).toBe('http://10.0.0.1:443');
});

test("a goodbye applies to its sender's announcements alone", () => {
  const locator = pinned();
  locator.noteSighting(sighting('10.0.0.1'));
  locator.noteGoodbye('stage', '10.0.0.66');
  expect(locator.current()?.url).toBe(real);
  locator.noteGoodbye('stage', '10.0.0.1');
  expect(locator.current()).toBeNull();
});

test('a camera without a hub asks every hub it found, even one whose id another one claims', async () => {
  const locator = new HubLocator({ override: 'auto', network, log });
  locator.noteSighting(sighting('10.0.0.66', { sender: '10.0.0.66' }));
  locator.noteSighting(sighting('10.0.0.1'));
  locator.noteSighting(sighting('10.0.0.2', { id: 'aaa' }));
  await expect
    .poll(() => {
      locator.noteSighting(sighting('10.0.0.2', { id: 'aaa' }));
      return locator.current()?.id;
    })
    .toBe('aaa');
  expect(locator.candidates().map(({ url }) => url)).toEqual(['https://10.0.0.66', real, 'https://10.0.0.2']);
});

test('an unproven address gives way to the latest one', () => {
  const locator = pinned();
  locator.noteSighting(sighting('10.0.0.1'));
  locator.noteSighting({ ...sighting('10.0.0.9'), seenAtMs: performance.now() + 1 });
  expect(locator.current()).toMatchObject({ url: 'https://10.0.0.9', otherUrls: [real] });
  expect(locator.isProven).toBe(false);
});

test('a goodbye withdraws earlier announcements of the hub from another address unless they are repeated', () => {
  const book = new SightingBook();
  const addresses = () => book.all().map(({ service }) => service.sender);
  for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) book.note(sighting(address));
  expect(book.goodbye('stage', '10.0.0.3', 1000)).toHaveLength(1);
  expect(addresses()).toEqual(['10.0.0.1', '10.0.0.2']);
  book.note(sighting('10.0.0.2'));
  book.expire(10_999);
  expect(addresses()).toEqual(['10.0.0.1', '10.0.0.2']);
  book.expire(11_000);
  expect(addresses()).toEqual(['10.0.0.2']);
});

test('remembers which hubs were seen when one says goodbye in the name of another', () => {
  const locator = new HubLocator({ override: 'auto', network, log });
  const greedy = 'cd'.repeat(32);
  locator.noteSighting(sighting('10.0.0.1'));
  locator.noteSighting(sighting('10.0.0.1', { sender: '10.0.0.2' }));
  expect(locator.heard().map(({ key }) => key)).toEqual([tls]);
  locator.noteSighting(sighting('10.0.0.66', { id: 'greedy', tls: greedy }));
  locator.noteGoodbye('stage', '10.0.0.1');
  locator.noteGoodbye('stage', '10.0.0.2');
  expect(locator.heard().map(({ key }) => key)).toEqual([tls, greedy]);
});
