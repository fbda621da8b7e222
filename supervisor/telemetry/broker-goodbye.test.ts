import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { describeError } from '../../common/errors.ts';
import { BrokerConnection } from './broker-connection.ts';

/** A broker that takes every MQTT 5 connection and ends it with this reason code. */
async function brokerThatSays(code: number) {
  const server = createServer((socket) => {
    socket.on('error', () => {}); // its client leaves as it likes
    socket.once('data', () => {
      socket.write(Buffer.from([0x20, 0x03, 0x00, 0x00, 0x00]));
      setTimeout(() => socket.end(Buffer.from([0xe0, 0x02, code, 0x00])), 50);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `mqtt://127.0.0.1:${port}`, close: () => server.close() };
}

test.each([
  [142, 'two cards made from one copy'],
  [139, 'is being shut down'],
  [149, 'too large'],
  [130, '(130)'],
])('explains why a broker ends the connection with %i', async (code, words) => {
  const broker = await brokerThatSays(code);
  const connection = await BrokerConnection.open(
    {
      url: broker.url,
      version: '5',
      clientId: 'rushlight_x',
      credentials: {},
      will: { topic: 'rushlight/x/availability', payload: 'offline' },
      keepaliveS: 30,
      connectTimeoutMs: 5000,
      logger: pino({ level: 'silent' }),
    },
    new AbortController().signal,
  );
  expect(describeError(await connection.closed)).toContain(words);
  broker.close();
});
