import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import type { NetworkPath } from '../network-path.ts';
import { UdpMux } from '../node/udp-mux.ts';
import { IceLite } from './ice-lite.ts';
import { answerCheck } from './ice-responder.ts';
import { buildStun, hasIntegrity, parseStun, StunAttribute, StunType } from './stun.ts';

const remote = { ufrag: 'remote', pwd: 'remotepasswordremotepassword', candidates: [] };

/** A session on a port of loopback addresses, and a peer that checks it there. */
async function open() {
  const mux = new UdpMux(pino({ level: 'silent' }));
  await mux.listen({ udpPort: 0, listenAddresses: ['127.0.0.1'] });
  const ice = new IceLite(mux);
  let selections = 0;
  let signs = 0;
  ice.connect(remote, { onSelected: () => selections++, onAlive: () => signs++, onDatagram: () => {} });
  const peer = createSocket('udp4');
  peer.bind(0, '127.0.0.1');
  await once(peer, 'listening');
  const check = (nominates: boolean, local = ice.local, remoteUfrag = remote.ufrag) => {
    const { address = '', port = 0 } = mux.bound[0] ?? {};
    const name = Buffer.from(`${local.ufrag}:${remoteUfrag}`);
    const nomination = nominates ? ([[StunAttribute.USE_CANDIDATE, Buffer.alloc(0)]] as const) : [];
    const attributes = [[StunAttribute.USERNAME, name] as const, ...nomination];
    peer.send(buildStun(StunType.REQUEST, randomBytes(12), attributes, local.pwd), port, address);
  };
  return {
    ...{ mux, ice, check, selections: () => selections, signs: () => signs },
    async [Symbol.asyncDispose]() {
      peer.close();
      ice.close();
      await mux.close();
    },
  };
}

it('A session whose address disappears sends nothing until its peer checks another one', async () => {
  await using session = await open();
  const { mux, ice, check } = session;
  check(true);
  await vi.waitFor(() => expect(ice.selected).not.toBeNull());
  const lost = ice.selected;
  await mux.listen({ udpPort: 0, listenAddresses: ['127.0.0.2'] });
  expect(ice.selected).toBeNull();
  check(false);
  await vi.waitFor(() => expect(ice.selected).not.toBeNull());
  expect(ice.selected).not.toBe(lost);
  expect(session.selections()).toBe(2);
});

it('A session keeps its credentials through any number of unfinished restarts and moves with one that completes', async () => {
  await using session = await open();
  const { ice, check, signs } = session;
  const first = ice.local;
  check(true);
  await vi.waitFor(() => expect(signs()).toBe(1));
  for (const ufrag of ['second', 'third', 'fourth']) ice.restart({ ...remote, ufrag });
  check(false, first);
  await vi.waitFor(() => expect(signs()).toBe(2));
  check(true, ice.local, 'fourth');
  await vi.waitFor(() => expect(signs()).toBe(3));
  check(false, first);
  check(false, ice.local, 'fourth');
  await vi.waitFor(() => expect(signs()).toBe(4));
});

it('An address that cannot be bound is reported once, however often it is tried, and again after it worked', async () => {
  const warnings: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const mux = new UdpMux(logger);
  const foreign = '192.0.2.1';
  const listenAddresses = ['127.0.0.1', foreign];
  await mux.listen({ udpPort: 0, listenAddresses });
  for (let i = 0; i < 3; i++) await mux.refresh();
  expect(warnings.filter((line) => line.includes(foreign))).toHaveLength(1);
  await mux.listen({ udpPort: 0, listenAddresses: ['127.0.0.1'] });
  await mux.listen({ udpPort: 0, listenAddresses });
  expect(warnings.filter((line) => line.includes(foreign))).toHaveLength(2);
  await mux.close();
});

const credentials = { ufrag: 'local', pwd: 'localpasswordlocalpassword', remoteUfrag: 'remote' };

/** The answer to an authentic check with these attributes, and what it came to. */
function checked(role: 'controlling' | 'controlled', ...attributes: [number, Buffer][]) {
  const sent: Buffer[] = [];
  const path = { address: '127.0.0.1', port: 9, send: (datagram: Buffer) => sent.push(datagram) };
  const name = [StunAttribute.USERNAME, Buffer.from('local:remote')] as const;
  const request = buildStun(StunType.REQUEST, randomBytes(12), [name, ...attributes], credentials.pwd);
  const result = answerCheck(request, path as unknown as NetworkPath, [credentials], role);
  const [datagram = Buffer.alloc(0)] = sent;
  const answer = parseStun(datagram);
  expect(answer !== null && hasIntegrity(datagram, answer, credentials.pwd)).toBe(true);
  const error = answer?.attributes.get(StunAttribute.ERROR_CODE);
  return {
    result,
    type: answer?.type,
    code: error === undefined ? null : (error[2] ?? 0) * 100 + (error[3] ?? 0),
    unknown: answer?.attributes.get(StunAttribute.UNKNOWN_ATTRIBUTES)?.toString('hex'),
  };
}

it('A peer that claims our role gets a role conflict and validates no path', () => {
  const conflict = { result: null, type: StunType.ERROR, code: 487 };
  expect(checked('controlled', [StunAttribute.ICE_CONTROLLED, randomBytes(8)])).toMatchObject(conflict);
  expect(checked('controlling', [StunAttribute.ICE_CONTROLLING, randomBytes(8)])).toMatchObject(conflict);
  const fine = checked('controlled', [StunAttribute.ICE_CONTROLLING, randomBytes(8)]);
  expect(fine).toMatchObject({ type: StunType.SUCCESS, result: { nominated: false } });
});

it('Unknown required attributes are rejected by name; optional ones are ignored', () => {
  const asked = checked(
    'controlled',
    [0x7abc, Buffer.alloc(4)],
    [0x0abc, Buffer.alloc(0)],
    [0xc057, Buffer.alloc(4)],
  );
  expect(asked).toMatchObject({ result: null, type: StunType.ERROR, code: 420, unknown: '7abc0abc' });
  expect(checked('controlled', [0xc057, Buffer.alloc(4)]).result).not.toBeNull();
});
