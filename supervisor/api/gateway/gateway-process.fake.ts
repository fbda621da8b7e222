/**
 * A hub with only a gateway, as a program of its own, so that its memory can be measured. Prints its port, then its resident
 * memory in bytes every 50 ms.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { Gateway } from './gateway.ts';

const gateway = new Gateway({
  upstream: process.argv[2] ?? '',
  isOurs: () => false,
  sessionCookie: 'rushlight_session',
  log: pino({ level: 'warn' }, pino.destination(2)),
});
const server = createServer((request, response) => void gateway.handle(request, response));
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
  setInterval(() => process.stdout.write(`${process.memoryUsage().rss}\n`), 50);
});
