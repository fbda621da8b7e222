import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpHeader, SrtcpSession, SrtpSession } from 'werift';
import { buildPictureLoss } from '../../rtp/rtcp-build.ts';
import { buildRtp } from '../../rtp/rtp-packet.ts';
import { deriveSessionKeys, type SrtpMasterKey } from './srtp-keys.ts';
import { SrtpReceiver } from './srtp-receiver.ts';
import { SrtpSender } from './srtp-sender.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const masters: SrtpMasterKey[] = [
  {
    profile: 'aead-aes-128-gcm',
    key: hex('000102030405060708090a0b0c0d0e0f'),
    salt: hex('a0a1a2a3a4a5a6a7a8a9aaab'),
  },
  {
    profile: 'aes-128-cm-hmac-sha1-80',
    key: hex('e1f97a0d3e018be0d64fa32c06de4139'),
    salt: hex('0ec675ad498afeebb6960b3aabe6'),
  },
];

function packet(sequence: number, payload = Buffer.from(`payload ${sequence}`)): Buffer {
  return buildRtp({ marker: true, payloadType: 96, sequence, timestamp: 4711, ssrc: 0xcafebabe, payload });
}

function protect(sender: SrtpSender, extended: number): Buffer {
  const plain = packet(extended & 0xffff);
  return sender.protectRtp(plain.subarray(0, 12), Math.floor(extended / 0x10000), plain.subarray(12));
}

it('derives the session keys of RFC 3711, appendix B.3', () => {
  const keys = deriveSessionKeys(masters[1] as SrtpMasterKey, 'rtp');
  expect(keys.key.toString('hex')).toBe('c61e7a93744f39ee10734afe3ff7a087');
  expect(keys.salt.toString('hex')).toBe('30cbbc08863d8c85d49db34a9ae1');
  expect(keys.authentication.toString('hex')).toBe('cebe321f6ff7716b6fd4ab49af256a156d38baa4');
});

describe.each(masters)('SRTP $profile', (master) => {
  const profile = master.profile === 'aead-aes-128-gcm' ? 7 : 1;
  const config = {
    keys: {
      localMasterKey: master.key,
      localMasterSalt: master.salt,
      remoteMasterKey: master.key,
      remoteMasterSalt: master.salt,
    },
    profile: profile as 7 | 1,
  };

  it('interoperates with another implementation in both directions', () => {
    const plain = packet(77);
    expect(new SrtpSession(config).decrypt(protect(new SrtpSender(master), 77))).toEqual(plain);
    const header = RtpHeader.deSerialize(plain);
    const theirs = new SrtpSession(config).encrypt(plain.subarray(12), header);
    expect(new SrtpReceiver(master).unprotectRtp(theirs)).toEqual(plain);
    const control = buildPictureLoss(5, 6);
    expect(new SrtcpSession(config).decrypt(new SrtpSender(master).protectRtcp(control))).toEqual(control);
    expect(new SrtpReceiver(master).unprotectRtcp(new SrtcpSession(config).encrypt(control))).toEqual(
      control,
    );
  });

  it('carries every packet once, across wraps and out of order', () => {
    const sender = new SrtpSender(master);
    const receiver = new SrtpReceiver(master);
    const order = Array.from({ length: 600 }, (_, i) => 65_300 + i);
    for (let i = 0; i + 3 < order.length; i += 7) {
      const [a, b] = [order[i] as number, order[i + 3] as number];
      order[i] = b;
      order[i + 3] = a;
    }
    for (const extended of order) {
      const secret = protect(sender, extended);
      expect(receiver.unprotectRtp(secret)).toEqual(packet(extended & 0xffff));
      expect(receiver.unprotectRtp(secret)).toBeNull();
    }
  });

  it('retransmits a packet from before the wrap identically', () => {
    const sender = new SrtpSender(master);
    const before = protect(sender, 65_400);
    for (let extended = 65_401; extended < 65_900; extended++) protect(sender, extended);
    expect(protect(sender, 65_400)).toEqual(before);
  });

  it.each([0, 1, 6])('decrypts a stream that is first received %d packets behind a wrap', (behind) => {
    const sender = new SrtpSender(master);
    const receiver = new SrtpReceiver(master);
    for (let extended = 65_536 + behind; extended < 65_800; extended++)
      expect(receiver.unprotectRtp(protect(sender, extended))).toEqual(packet(extended & 0xffff));
  });

  it('recovers after more than half of the sequence numbers were lost', () => {
    const sender = new SrtpSender(master);
    const receiver = new SrtpReceiver(master);
    for (let extended = 30_000; extended < 30_010; extended++)
      receiver.unprotectRtp(protect(sender, extended));
    const later = Array.from({ length: 50 }, (_, i) => receiver.unprotectRtp(protect(sender, 70_000 + i)));
    expect(later.filter((plain) => plain === null).length).toBeLessThan(5);
    expect(later.at(-1)).toEqual(packet(70_049 & 0xffff));
    expect(receiver.unprotectRtp(protect(sender, 30_005))).toBeNull();
  });

  it('counts the reports of each stream separately', () => {
    const [one, other] = [new SrtpSender(master), new SrtpSender(master)];
    const receiver = new SrtpReceiver(master);
    for (let i = 0; i < 300; i++) receiver.unprotectRtcp(one.protectRtcp(buildPictureLoss(5, 6)));
    const late = other.protectRtcp(buildPictureLoss(7, 8));
    expect(receiver.unprotectRtcp(late)).toEqual(buildPictureLoss(7, 8));
    expect(receiver.unprotectRtcp(late)).toBeNull();
  });

  it('accepts as many consecutive streams as a long session has, and none of them twice', () => {
    const sender = new SrtpSender(master);
    const receiver = new SrtpReceiver(master);
    const of = (ssrc: number): Buffer => {
      const plain = buildRtp({
        ...{ marker: true, payloadType: 96, sequence: 9, timestamp: 1 },
        ssrc,
        payload: Buffer.alloc(9),
      });
      return sender.protectRtp(plain.subarray(0, 12), 0, plain.subarray(12));
    };
    for (let ssrc = 1; ssrc <= 100; ssrc++) expect(receiver.unprotectRtp(of(ssrc))).not.toBeNull();
    for (let ssrc = 1; ssrc <= 100; ssrc++) expect(receiver.unprotectRtp(of(ssrc))).toBeNull();
  });

  it('rejects altered packets', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const secret = protect(new SrtpSender(master), 500);
        const index = at % secret.length;
        secret.writeUInt8(secret.readUInt8(index) ^ flip, index);
        expect(new SrtpReceiver(master).unprotectRtp(secret)).toBeNull();
      }),
    );
    const control = new SrtpSender(master).protectRtcp(buildPictureLoss(5, 6));
    control.writeUInt8(control.readUInt8(9) ^ 1, 9);
    expect(new SrtpReceiver(master).unprotectRtcp(control)).toBeNull();
  });

  it('never throws on garbage', () => {
    const receiver = new SrtpReceiver(master);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        expect(receiver.unprotectRtp(Buffer.from(bytes))).toBeNull();
        expect(receiver.unprotectRtcp(Buffer.from(bytes))).toBeNull();
      }),
    );
  });
});
