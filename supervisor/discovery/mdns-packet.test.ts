import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MdnsRecord, readPacket } from './mdns-packet.ts';
import { encodeTxt, type ServiceTxt, serviceDomain, serviceTxtSchema, txtPairs } from './service-txt.ts';

const txt: ServiceTxt = { id: '10000000abcd', role: 'hub', ver: '0.1.0', path: '/', tls: 'ab'.repeat(32) };
const fullName = `stage.${serviceDomain}`;

function packet(records: readonly MdnsRecord[], additionals: readonly MdnsRecord[] = []) {
  return { answers: records, additionals };
}

function strings(pairs: Readonly<Record<string, string>>): Buffer[] {
  return Object.entries(pairs).map(([key, value]) => Buffer.from(`${key}=${value}`));
}

const ptr: MdnsRecord = { type: 'PTR', name: serviceDomain, ttl: 4500, data: fullName };
const srv: MdnsRecord = { type: 'SRV', name: fullName, ttl: 120, data: { target: 'stage.local', port: 443 } };
const text: MdnsRecord = { type: 'TXT', name: fullName, ttl: 4500, data: strings(encodeTxt(txt)) };
const address = (data: string): MdnsRecord => ({ type: 'A', name: 'stage.local', ttl: 120, data });

describe('readPacket', () => {
  test('reads an appliance, with the sender of the packet as its first address', () => {
    const { sightings } = readPacket(
      packet([ptr], [srv, text, address('10.0.0.5'), address('192.168.1.5')]),
      '192.168.1.5',
    );
    expect(sightings).toEqual([
      { name: 'stage', port: 443, addresses: ['192.168.1.5', '10.0.0.5'], ttlS: 120, txt },
    ]);
  });

  test('uses the sender if the packet lists no address', () => {
    expect(readPacket(packet([srv, text]), '192.168.1.5').sightings[0]?.addresses).toEqual(['192.168.1.5']);
  });

  test('omits link-local IPv6, which is useless without a zone, and puts IPv4 first', () => {
    const aaaa = (data: string): MdnsRecord => ({ type: 'AAAA', name: 'stage.local', ttl: 120, data });
    const records = [aaaa('fe80::1'), aaaa('2001:db8::5'), address('10.0.0.5')];
    const { sightings } = readPacket(packet([ptr, srv, text], records), '10.0.0.99');
    expect(sightings[0]?.addresses).toEqual(['10.0.0.5', '2001:db8::5']);
  });

  test('names an instance that the packet does not describe', () => {
    expect(readPacket(packet([ptr]), '10.0.0.5').incomplete).toEqual([fullName]);
    expect(readPacket(packet([ptr, srv]), '10.0.0.5').incomplete).toEqual([fullName]);
  });

  test('reads a goodbye and nothing else from it', () => {
    const content = readPacket(packet([ptr, srv, text].map((record) => ({ ...record, ttl: 0 }))), '10.0.0.5');
    expect(content).toEqual({ sightings: [], goodbyes: ['stage'], incomplete: [], refused: [] });
  });

  test('rejects a TXT record that breaks the contract, and says where', () => {
    const bad = { ...text, data: strings({ ...encodeTxt(txt), role: 'toaster' }) };
    const { sightings, refused } = readPacket(packet([ptr, srv, bad]), '10.0.0.5');
    expect(sightings).toEqual([]);
    expect(refused).toHaveLength(1);
    expect(refused[0]?.reason).toMatch(/hub/);
  });

  // `new URL('//', base)` throws, and '//example.org' is another host.
  test.each(['//', '///', '//example.org/x', '//1.2.3.4.5'])(
    'rejects the path %s, which names a host',
    (path) => {
      const bad = { ...text, data: strings({ ...encodeTxt(txt), path }) };
      const { sightings, refused } = readPacket(packet([ptr, srv, bad]), '10.0.0.5');
      expect(sightings).toEqual([]);
      expect(refused).toEqual([{ name: 'stage', reason: 'a path that starts with one /' }]);
    },
  );

  test('ignores other services in the same packet', () => {
    const other: MdnsRecord = { type: 'PTR', name: '_ipp._tcp.local', ttl: 4500, data: 'x._ipp._tcp.local' };
    expect(readPacket(packet([other]), '10.0.0.5').incomplete).toEqual([]);
  });

  test('never throws, whatever the records contain', () => {
    const record = fc.record({
      type: fc.constantFrom('PTR', 'SRV', 'TXT', 'A', 'AAAA', 'NSEC'),
      name: fc.constantFrom(serviceDomain, fullName, 'stage.local', ''),
      ttl: fc.option(fc.nat(), { nil: undefined }),
      data: fc.oneof(fc.anything(), fc.constantFrom(fullName, { target: 'stage.local', port: 0 })),
    });
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const readable = records.map(({ ttl, ...rest }) => (ttl === undefined ? rest : { ...rest, ttl }));
        readPacket(packet(readable), '10.0.0.5');
      }),
    );
  });
});

describe('TXT record', () => {
  test('reads back what it writes', () => {
    const arbitrary = fc.record({
      id: fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/),
      role: fc.constantFrom('hub' as const, 'camera' as const),
      ver: fc.stringMatching(/^[0-9a-z.+-]{1,64}$/),
      path: fc.constantFrom('/', '/rushlight/', '/a/b'),
      tls: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/)),
    });
    fc.assert(
      fc.property(arbitrary, (value) => {
        expect(serviceTxtSchema.parse(txtPairs(strings(encodeTxt(value))))).toEqual(value);
      }),
    );
  });

  test('uses the first of two equal keys, ignoring case, and skips what is not a pair', () => {
    const data = ['ID=a', 'id=b', '=c', 'flag', 'x=1=2'].map((item) => Buffer.from(item));
    expect(txtPairs(data)).toEqual({ id: 'a', x: '1=2' });
  });
});
