import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerEveryName, answerTo } from './name-server.ts';

test('answers every query of a phone with this machine', async () => {
  const probe = createSocket('udp4').bind(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  const stop = new AbortController();
  const serving = answerEveryName(port, '10.42.0.1', stop.signal);
  const resolver = new Resolver({ timeout: 5000 });
  resolver.setServers([`127.0.0.1:${port}`]);
  for (const name of ['captive.apple.com', 'connectivitycheck.gstatic.com', 'left.local'])
    expect(await resolver.resolve4(name)).toEqual(['10.42.0.1']);
  await expect(resolver.resolve6('captive.apple.com')).rejects.toMatchObject({ code: 'ENODATA' });
  stop.abort();
  await serving;
});

test('ignores packets that are not queries and never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const query = Buffer.from(bytes);
      const answer = answerTo(query, '10.42.0.1');
      if (answer === null) return;
      expect(answer.readUInt16BE(0)).toBe(query.readUInt16BE(0));
      expect(answer.readUInt16BE(2) & 0x8000).toBe(0x8000);
      // Answers are never answered: two such servers would talk to one another forever.
      expect(answerTo(answer, '10.42.0.1')).toBeNull();
    }),
  );
});
