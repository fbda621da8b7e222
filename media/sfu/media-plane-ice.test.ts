import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { IceCredentials } from '../datapath/datapath.ts';
import { buildStun, hasIntegrity, parseStun, StunAttribute, StunType } from '../datapath/ice/stun.ts';
import type { MediaPlane } from './media-plane.ts';
import { planes } from './plane-checks.fake.ts';
import { openPlane } from './plane-rig.fake.ts';

/** What a check gets by the names of one side and the other; null for silence. */
async function answerTo(
  plane: MediaPlane,
  local: IceCredentials,
  remoteUfrag: string,
): Promise<number | null> {
  const name = Buffer.from(`${local.ufrag}:${remoteUfrag}`);
  const check = buildStun(StunType.REQUEST, randomBytes(12), [[StunAttribute.USERNAME, name]], local.pwd);
  const socket = createSocket('udp4');
  const answered = once(socket, 'message').then(([datagram]) => parseStun(datagram as Buffer)?.type ?? null);
  socket.send(check, plane.bound[0]?.port ?? 0, '127.0.0.1');
  const answer = await Promise.race([answered, sleep(300, null)]);
  socket.close();
  return answer;
}

describe.each(planes)('ICE of the %s media plane', (kind) => {
  it('answers checks by the current credentials, however many ICE restarts failed', async () => {
    await using plane = await openPlane(kind);
    await plane.listen({ udpPort: 0, listenAddresses: ['127.0.0.1'] });
    const transport = await plane.openTransport('lite');
    const remote = { ufrag: 'peer', pwd: 'p'.repeat(22), candidates: [] };
    transport.connect({ ...remote, fingerprints: [], dtlsRole: 'server' });
    const names = transport.local;
    expect(await answerTo(plane, names, 'peer')).toBe(StunType.SUCCESS);
    for (let i = 0; i < 12; i++) transport.restartIce({ ...remote, ufrag: `other${i}` });
    expect(await answerTo(plane, names, 'peer')).toBe(StunType.SUCCESS);
    // The newest names work, too, and end the others.
    expect(await answerTo(plane, transport.local, 'other11')).toBe(StunType.SUCCESS);
    expect(await answerTo(plane, names, 'peer')).toBeNull();
    transport.close();
  });

  it('answers checks over IPv6 from the address that was asked', async () => {
    await using plane = await openPlane(kind);
    await plane.listen({ udpPort: 0, listenAddresses: ['::1'] });
    const transport = await plane.openTransport('lite');
    transport.connect({
      ...{ ufrag: 'peer', pwd: 'p'.repeat(22), candidates: [], fingerprints: [], dtlsRole: 'server' },
    });
    const { ufrag, pwd } = transport.local;
    const transaction = Buffer.alloc(12, 7);
    const name = Buffer.from(`${ufrag}:peer`);
    const check = buildStun(StunType.REQUEST, transaction, [[StunAttribute.USERNAME, name]], pwd);
    const socket = createSocket('udp6');
    const answered = once(socket, 'message');
    socket.send(check, plane.bound[0]?.port ?? 0, '::1');
    const [datagram, from] = (await answered) as [Buffer, { address: string }];
    socket.close();
    const answer = parseStun(datagram);
    expect(from.address).toBe('::1');
    expect(answer).toMatchObject({ type: StunType.SUCCESS, transaction });
    expect(answer !== null && hasIntegrity(datagram, answer, pwd)).toBe(true);
    expect(answer?.attributes.get(StunAttribute.XOR_MAPPED_ADDRESS)).toHaveLength(20);
    transport.close();
  });
});
