import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { askNtp, ntpQuestion, parseNtp } from './ntp.ts';

test('reads a request', () => {
  const asked = parseNtp(ntpQuestion(Uint8Array.of(0xe7, 0, 0, 0, 0x80, 0, 0, 0)));
  expect(asked).toMatchObject({ leap: 0, version: 4, mode: 3, stratum: 0 });
  expect(asked?.transmitUnixMs).toBe((0xe7000000 - 2_208_988_800) * 1000 + 500);
});

test('never throws on arbitrary input', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const answer = parseNtp(Buffer.from(bytes));
      expect(answer === null).toBe(bytes.length < 48);
    }),
  );
});

test('queries a server and ignores a reply with another origin timestamp', async () => {
  const server = createSocket('udp4');
  let honest = true;
  server.on('message', (packet, { port, address }) => {
    const answer = Buffer.alloc(48);
    answer[0] = (4 << 3) | 4;
    answer[1] = 10;
    if (honest) packet.copy(answer, 24, 40, 48);
    server.send(answer, port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  expect(await askNtp('127.0.0.1', port, 10_000)).toMatchObject({ mode: 4, stratum: 10, leap: 0 });
  honest = false;
  expect(await askNtp('127.0.0.1', port, 10_000)).toBeNull();
  server.close();
  await once(server, 'close');
  expect(await askNtp('127.0.0.1', port, 500)).toBeNull();
});
