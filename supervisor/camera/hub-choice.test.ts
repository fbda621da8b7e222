import { describe, expect, test } from 'vitest';
import type { Sighting } from '../discovery/mdns-packet.ts';
import { chooseHub, hubUrl, type KnownHub, urlsToTry } from './hub-choice.ts';

function sighting(
  id: string,
  addresses: readonly string[] = ['10.0.0.1'],
  tls: string | null = null,
): Sighting {
  return {
    name: 'stage',
    port: 8080,
    addresses,
    ttlS: 120,
    txt: { id, role: 'hub', ver: '1', path: '/', tls },
  };
}

function hub(id: string, seenAtMs = 0, failedAtMs: number | null = null): KnownHub {
  return { sighting: sighting(id), seenAtMs, failedAtMs };
}

describe('chooseHub', () => {
  test('chooses none without any', () => {
    expect(chooseHub([], 'a', 'a', 0)).toBeNull();
  });

  test.each([
    ['the only one', [hub('b')], null, null, 'b', 'the only hub found'],
    ['the adopted one before all', [hub('a'), hub('b')], 'b', 'a', 'b', 'the hub that adopted this camera'],
    ['the present one before the lowest', [hub('a'), hub('b')], null, 'b', 'b', 'the first of 2 hubs found'],
    [
      'the lowest id otherwise',
      [hub('c'), hub('a'), hub('b')],
      null,
      null,
      'a',
      'the lowest id of 3 hubs found',
    ],
  ])('chooses %s', (_, hubs, pinnedId, presentId, id, reason) => {
    expect(chooseHub(hubs, pinnedId, presentId, 1000)).toEqual({ id, fresh: true, reason });
  });

  test('reports that the adopted hub is missing', () => {
    expect(chooseHub([hub('a')], 'z', null, 0)?.reason).toBe(
      'the only hub found; the hub that adopted this camera is not there',
    );
  });

  test('prefers a responding hub to the adopted one that does not respond', () => {
    const hubs = [hub('adopted', 0), hub('other', 121_000)];
    expect(chooseHub(hubs, 'adopted', 'adopted', 121_000)?.id).toBe('other');
  });

  test('keeps a silent hub if there is no other, and says that it is silent', () => {
    expect(chooseHub([hub('a', 0)], null, 'a', 121_000)).toMatchObject({ id: 'a', fresh: false });
  });

  test('counts a hub as gone ten seconds after its first failure', () => {
    const hubs = [hub('a', 0, 5000)];
    expect(chooseHub(hubs, null, 'a', 14_999)?.fresh).toBe(true);
    expect(chooseHub(hubs, null, 'a', 15_000)?.fresh).toBe(false);
  });
});

describe('urlsToTry', () => {
  const two = sighting('a', ['10.0.0.1', '10.0.0.2']);
  const url = (end: number) => `http://10.0.0.${end}:8080`;

  test('begins where the hub proved itself, whatever was announced since', () => {
    expect(urlsToTry([two], url(9), new Set())).toEqual([url(9), url(1), url(2)]);
    expect(urlsToTry([], url(9), new Set())).toEqual([url(9)]);
  });

  test('leaves failed addresses for the end', () => {
    expect(urlsToTry([two], null, new Set([url(1)]))).toEqual([url(2), url(1)]);
  });

  test('gives each sighting its turn and is bounded', () => {
    const many = sighting(
      'a',
      Array.from({ length: 200 }, (_, n) => `10.9.0.${n}`),
    );
    const urls = urlsToTry([many, two], null, new Set());
    expect(urls.slice(0, 4)).toEqual(['http://10.9.0.0:8080', url(1), 'http://10.9.0.1:8080', url(2)]);
    expect(urls).toHaveLength(16);
  });
});

test('the URL follows TLS, path and address family', () => {
  expect(hubUrl(sighting('a'), '10.0.0.1')).toBe('http://10.0.0.1:8080');
  expect(hubUrl(sighting('a', [], 'ab'.repeat(32)), '2001:db8::1')).toBe('https://[2001:db8::1]:8080');
  const nested = sighting('a');
  expect(hubUrl({ ...nested, txt: { ...nested.txt, path: '/rushlight/' } }, '10.0.0.1')).toBe(
    'http://10.0.0.1:8080/rushlight',
  );
});
