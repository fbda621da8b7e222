import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from './free-port.ts';
import { WireSwitch } from './wire-switch.ts';

const everybody = 'ffffffffffff';
const addresses = ['020000000001', '020000000002', '020000000003'] as const;

let machines: { readonly socket: Socket; readonly heard: string[] }[];
let wires: { readonly rigPort: number; readonly guestPort: number }[];
let joined: WireSwitch;

beforeEach(async () => {
  machines = [];
  wires = [];
  for (const _ of addresses) {
    const socket = createSocket('udp4');
    const heard: string[] = [];
    socket.on('message', (frame) => heard.push(frame.toString('utf8', 14)));
    const [rigPort, guestPort] = [await freePort('udp'), await freePort('udp')];
    socket.bind(guestPort, '127.0.0.1');
    await once(socket, 'listening');
    machines.push({ socket, heard });
    wires.push({ rigPort, guestPort });
  }
  joined = await new WireSwitch(wires).open();
});

afterEach(async () => {
  await joined[Symbol.asyncDispose]();
  for (const { socket } of machines) socket.close();
});

function send(from: number, to: string, text: string): void {
  const frame = Buffer.concat([Buffer.from(`${to}${addresses[from]}0800`, 'hex'), Buffer.from(text)]);
  machines[from]?.socket.send(frame, wires[from]?.rigPort ?? 0, '127.0.0.1');
}

const heard = () => machines.map((machine) => machine.heard);
const expectHeard = (...what: string[][]) => expect.poll(heard).toEqual(what);

test('floods broadcast and unknown destinations to all other ports', async () => {
  send(0, everybody, 'who is there');
  await expectHeard([], ['who is there'], ['who is there']);
  send(1, addresses[2], 'you?');
  await expectHeard(['you?'], ['who is there'], ['who is there', 'you?']);
});

test('forwards to a known destination only', async () => {
  send(2, everybody, 'I');
  await expectHeard(['I'], ['I'], []);
  send(0, addresses[2], 'for you');
  await expectHeard(['I'], ['I'], ['for you']);
});

test('ignores short frames and machines that are off', async () => {
  machines[1]?.socket.close();
  machines[0]?.socket.send(Buffer.from('short'), wires[0]?.rigPort ?? 0, '127.0.0.1');
  send(0, everybody, 'one');
  await sleep(50);
  send(0, everybody, 'two');
  await expect.poll(() => machines[2]?.heard).toEqual(['one', 'two']);
  machines.splice(1, 1);
});
