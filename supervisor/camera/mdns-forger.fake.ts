/**
 * A stranger on the network who claims over mDNS to be a hub, for tests in network namespaces: each time from a random address,
 * and with goodbyes in the real hub's name in between.
 */
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { serviceDomain } from '../discovery/service-txt.ts';

const { values } = parseArgs({
  options: {
    id: { type: 'string', default: 'hub' },
    name: { type: 'string', default: 'stage' },
    tls: { type: 'string', default: '' },
    port: { type: 'string', default: '8443' },
    /** Address of this machine. */
    own: { type: 'string', default: '127.0.0.1' },
    /** Announces this many other hubs as well. */
    others: { type: 'string', default: '0' },
    everyMs: { type: 'string', default: '50' },
  },
});
const types = { A: 1, PTR: 12, TXT: 16, SRV: 33 } as const;

function nameOf(name: string): Buffer {
  const labels = name
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function record(name: string, type: keyof typeof types, ttlS: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(types[type], 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(ttlS, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([nameOf(name), head, data]);
}

function response(records: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0x8400, 2);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, ...records]);
}

function announcement(name: string, id: string, address: string): Buffer {
  const full = `${name}.${serviceDomain}`;
  const port = Buffer.alloc(6);
  port.writeUInt16BE(Number(values.port), 4);
  const pairs = [`id=${id}`, 'role=hub', 'ver=1', 'path=/', `tls=${values.tls}`];
  const text = pairs.map((pair) => Buffer.concat([Buffer.from([pair.length]), Buffer.from(pair)]));
  return response([
    record(serviceDomain, 'PTR', 120, nameOf(full)),
    record(full, 'SRV', 120, Buffer.concat([port, nameOf('forged.local')])),
    record(full, 'TXT', 120, Buffer.concat(text)),
    record('forged.local', 'A', 120, Buffer.from(address.split('.').map(Number))),
  ]);
}

const socket = createSocket('udp4');
await new Promise<void>((resolve) => socket.bind(0, values.own, resolve));
socket.setMulticastInterface(values.own);
process.once('SIGTERM', () => process.exit());
for (let n = 0; ; n += 1) {
  const say = (packet: Buffer) => socket.send(packet, 5353, '224.0.0.251');
  say(announcement(values.name, values.id, n % 2 === 0 ? values.own : `10.77.1.${n % 250}`));
  if (n % 4 === 1)
    say(response([record(serviceDomain, 'PTR', 0, nameOf(`${values.name}.${serviceDomain}`))]));
  for (let other = 0; other < Number(values.others); other += 1) {
    say(announcement(`fake-${n}-${other}`, `0000-fake-${n}-${other}`, values.own));
  }
  await sleep(Number(values.everyMs));
}
