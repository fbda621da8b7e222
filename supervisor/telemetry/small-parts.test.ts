import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { nearestFirst, rankBrokers } from './broker-mdns.ts';
import { Snapshots } from './snapshots.ts';
import { commandOf, topicId, topicsOf } from './topics.ts';
import { Wakeup } from './wakeup.ts';

describe('topics', () => {
  test('commands are read from their topics only', () => {
    expect(commandOf('rushlight/a/role/set', 'a')).toBe('role');
    for (const topic of [
      'rushlight/b/role/set',
      'rushlight/a/role/get',
      'rushlight/a/set',
      'rushlight/a/x/y/set',
      '',
    ]) {
      expect(commandOf(topic, 'a')).toBeNull();
    }
  });

  test('any id makes a legal topic, and every command is found again', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (id) => {
        expect(topicId(id)).toMatch(/^[A-Za-z0-9_-]+$/);
        const topics = topicsOf(id, 'homeassistant');
        expect(commandOf(topics.command('role'), topics.device)).toBe('role');
      }),
    );
  });
});

describe('brokers found', () => {
  const plain = {
    name: 'a',
    host: 'a.local.',
    port: 1883,
    addresses: ['fe80::1', '192.0.2.5'],
    secure: false,
  };

  test('prefer TLS by name to plain by address, in any order', () => {
    const secure = { ...plain, name: 'z', host: 'z.local.', port: 8883, secure: true };
    for (const found of [
      [plain, secure],
      [secure, plain],
    ]) {
      expect(rankBrokers(found)[0]).toEqual({ name: 'z', host: 'z.local', url: 'mqtts://z.local:8883' });
    }
    expect(rankBrokers([{ ...plain, name: 'b' }, plain])[0]).toEqual({
      name: 'a',
      host: 'a.local',
      url: 'mqtt://192.0.2.5:1883',
    });
    expect(rankBrokers([{ ...plain, addresses: [] }])[0]?.url).toBe('mqtt://a.local:1883');
    expect(rankBrokers([])).toEqual([]);
  });
});

test('prefer the address in one of our networks', () => {
  const links = [
    { address: '10.1.0.4', cidr: '10.1.0.4/24' },
    { address: '192.168.7.4', cidr: '192.168.7.4/24' },
  ];
  expect(nearestFirst(['172.16.0.9', 'fe80::1', '192.168.7.9'], links)[0]).toBe('192.168.7.9');
  expect(nearestFirst(['999.1.1.1', '172.16.0.9'], links)).toEqual(['999.1.1.1', '172.16.0.9']);
});

test('ignore an announcement without a host name', () => {
  const base = { name: 'x', port: 1883, addresses: [], secure: false };
  for (const host of ['me@evil.test/', 'a b', '', 'x:1/', '[::1]']) {
    expect(rankBrokers([{ ...base, host }])).toEqual([]);
  }
});

describe('snapshots', () => {
  test('run one after the other; waiting requests are shared; a failure affects no other', async () => {
    let atOnce = 0;
    let most = 0;
    const published: string[] = [];
    const snapshots = new Snapshots({
      take: async (feed) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await new Promise((resolve) => setTimeout(resolve, 5));
        atOnce -= 1;
        if (feed === 'broken') throw new Error('no frames');
        return Buffer.alloc(feed === 'huge' ? 600_000 : 10);
      },
      publish: async (feed) => {
        published.push(feed);
      },
      logger: pino({ level: 'silent' }),
    });
    const results = await Promise.allSettled(
      ['a', 'broken', 'b', 'b', 'huge', 'c'].map((feed) => snapshots.request(feed)),
    );
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(published).toEqual(['a', 'b', 'c']);
    expect(most).toBe(1);
  });
});

describe('wakeup', () => {
  test('a notice before or during the wait ends it, and so does an abort', async () => {
    const wakeup = new Wakeup();
    const { signal } = new AbortController();
    wakeup.notify();
    await wakeup.wait(1e6, signal);
    const waiting = wakeup.wait(1e6, signal);
    wakeup.notify();
    await waiting;
    const stop = new AbortController();
    const stopped = wakeup.wait(1e6, stop.signal);
    stop.abort();
    await stopped;
    await wakeup.wait(1, signal);
  });
});
