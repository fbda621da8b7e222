import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { localAddresses } from '../datapath/local-addresses.ts';
import { createMediaPlane } from '../sfu/create-plane.ts';
import { createNodePlane } from '../sfu/node-plane.ts';
import { h265Whip } from '../signaling/client-offers.fake.ts';
import { freeRtpPort, openMediaRig } from '../signaling/media-rig.fake.ts';
import { buildPullOffer } from '../signaling/pull-offer.ts';
import { buildPushOffer } from '../signaling/push-offer.ts';
import { MediaService } from './media-service.ts';
import { mediaConfigSchema } from './protocol.ts';

const remote = {
  ice: { ufrag: 'remote', pwd: 'remotepasswordremotepassword' },
  candidates: [],
  fingerprint: { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => '0A').join(':') },
};
const tracks = { cname: 'test', streamId: 'cam0', videoSsrc: 1, audioSsrc: 2 };
const publication = {
  feed: 'cam0',
  sdp: buildPushOffer(remote, tracks, { video: null, audio: null }),
  peer: null,
  publisherKey: null,
};

it('A publisher makes room for a local camera of the same name and cannot come back', async () => {
  await using rig = await openMediaRig();
  await rig.service.whipOffer(publication);
  const ingests = [{ feed: 'cam0', rtpPort: await freeRtpPort(), kind: 'h264' as const }];
  const config = { udpPort: 0, listenAddresses: ['127.0.0.1'], ingests, pushes: [] };
  expect(await rig.service.configure(mediaConfigSchema.parse(config))).toEqual({ problems: [] });
  expect(rig.events.filter(({ event }) => event === 'session-closed')).toHaveLength(1);
  expect(rig.service.feeds.get('cam0')?.source?.info.kind).toBe('ingest');
  await expect(rig.service.whipOffer(publication)).rejects.toMatchObject({ code: 'FEED_BUSY' });
});

it('A viewer is rejected if its publisher leaves while it waits for a picture', async () => {
  await using rig = await openMediaRig();
  const { sessionId } = await rig.service.whipOffer(publication);
  const waiting = rig.service.whepOffer({ feed: 'cam0', sdp: buildPullOffer(remote), peer: null });
  waiting.catch(() => {});
  rig.service.session(sessionId).close();
  await expect(waiting).rejects.toMatchObject({ code: 'NO_PUBLISHER' });
  expect(rig.service.feeds.get('cam0')).toBeNull();
});

it('An offer fails if its key is revoked meanwhile, and so do the sessions of unknown keys', async () => {
  await using rig = await openMediaRig();
  const { service } = rig;
  const offer = service.whipOffer({ ...publication, keyId: 'lost' });
  service.endSessionsOf('lost');
  await expect(offer).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
  expect(service.status().sessions).toBe(0);
  await service.whipOffer({ ...publication, keyId: 'good' });
  await service.whipOffer({ ...publication, feed: 'cam1', keyId: 'unknown' });
  await service.whipOffer({ ...publication, feed: 'cam2', keyId: null });
  expect(service.endSessionsExcept(['good'])).toBe(1);
  expect(service.status().sessions).toBe(2);
});

it('Feeds accept the names that the API allows', () => {
  const ingests = [{ feed: 'stage_left', rtpPort: 5004, kind: 'h264' }];
  const config = { udpPort: 0, listenAddresses: 'auto', ingests, pushes: [] };
  expect(mediaConfigSchema.safeParse(config).success).toBe(true);
});

const named = (feed: string, keyId: string | null, role: 'camera' | 'viewer' | 'operator' = 'camera') => ({
  ...publication,
  feed,
  owner: { keyId, role },
  publisherKey: keyId,
});

it('A name belongs to whoever sends under it; an offer that never connects does not reserve it', async () => {
  await using rig = await openMediaRig();
  await rig.service.whipOffer(named('cam0', 'idler'));
  const { sessionId } = await rig.service.whipOffer(named('cam0', 'camera'));
  expect(rig.service.session(sessionId).info.state).toBe('connecting');
  expect(rig.service.feeds.get('cam0')?.source).toBeNull();
});

it('No number of simultaneous offers opens more sessions than the limit', async () => {
  await using rig = await openMediaRig();
  const offers = Array.from({ length: 400 }, (_, i) =>
    rig.service.whipOffer(named(`feed-${i}`, `key-${i % 20}`)),
  );
  const results = await Promise.allSettled(offers);
  const opened = results.filter(({ status }) => status === 'fulfilled').length;
  expect(opened).toBe(128);
  expect(rig.service.status().sessions).toBe(128);
  for (const result of results)
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'OVERLOADED' });
});

it('One key cannot take the places of others, and a rejected offer keeps none', async () => {
  await using rig = await openMediaRig();
  const flood = Array.from({ length: 100 }, (_, i) => rig.service.whipOffer(named(`feed-${i}`, 'greedy')));
  await Promise.allSettled(flood);
  await expect(rig.service.whipOffer(named('more', 'greedy'))).rejects.toMatchObject({ code: 'OVERLOADED' });
  for (let i = 0; i < 100; i++) {
    const broken = rig.service.whipOffer({ ...named('cam0', 'camera'), sdp: 'v=0' });
    await expect(broken).rejects.toMatchObject({ code: 'SDP_INVALID' });
  }
  await expect(rig.service.whipOffer(named('cam0', 'camera'))).resolves.toBeDefined();
});

it('A session obeys only its opener and operators, under its own name', async () => {
  await using rig = await openMediaRig();
  const { service } = rig;
  const { sessionId } = await service.whipOffer(named('cam0', 'mine'));
  const right = { sessionId, kind: 'whip', feed: 'cam0' } as const;
  const mine = { keyId: 'mine', role: 'camera' } as const;
  const notFound = expect.objectContaining({ code: 'SESSION_NOT_FOUND' });
  for (const wrong of [
    { ...right, owner: { keyId: 'other', role: 'camera' } },
    { ...right, owner: { keyId: null, role: 'public' } },
    { ...right, kind: 'whep', owner: mine },
    { ...right, feed: 'cam1', owner: mine },
    { ...right, kind: 'whep', owner: { keyId: 'boss', role: 'owner' } },
  ] as const) {
    expect(() => service.closeSession(wrong)).toThrow(notFound);
    expect(() => service.sessionInfo(wrong)).toThrow(notFound);
    expect(() => service.patchSession({ ...wrong, ifMatch: '*', fragment: 'a=mid:0' })).toThrow(notFound);
  }
  expect(service.sessionInfo({ ...right, owner: { keyId: 'boss', role: 'operator' } })).toMatchObject({
    feed: 'cam0',
  });
  expect(service.patchSession({ ...right, owner: mine, ifMatch: '*', fragment: 'a=mid:0' })).toEqual({
    restart: null,
  });
  service.closeSession({ ...right, owner: mine });
  expect(service.status().sessions).toBe(0);
  // A client that says goodbye by DTLS first ends its session twice.
  expect(() => service.closeSession({ ...right, owner: mine })).not.toThrow();
  expect(() => service.closeSession({ ...right, owner: { keyId: 'other', role: 'camera' } })).toThrow(
    notFound,
  );
  expect(() => service.sessionInfo({ ...right, owner: mine })).toThrow(notFound);
});

it.each([
  ['native, where there is one', createMediaPlane],
  ['JavaScript', createNodePlane],
])(
  'Reports a port that another program uses and what to do, rejects offers, and takes the port once it is free (%s)',
  async (_name, createPlane) => {
    const holder = createSocket('udp4').bind(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port: udpPort } = holder.address();
    const logger = pino({ level: 'silent' });
    await using datapath = await createPlane({ logger });
    await using service = new MediaService({ datapath, logger, onEvent: () => {} });
    const config = { udpPort, listenAddresses: ['127.0.0.1'], ingests: [], pushes: [] };
    const { problems } = await service.configure(mediaConfigSchema.parse(config));
    expect(problems).toEqual([expect.stringContaining('media.udp_port')]);
    expect(problems[0]).toContain(String(udpPort));
    expect(service.status().problems).toEqual(problems);
    await expect(service.whipOffer(publication)).rejects.toMatchObject({
      code: 'MEDIA_PORT_CLOSED',
      retryAfterS: 5,
    });

    holder.close();
    await once(holder, 'close');
    await service.whipOffer(publication);
    expect(service.status().problems).toEqual([]);
  },
);

it('Reports an address that this machine does not have, with the setting', async () => {
  await using rig = await openMediaRig();
  const elsewhere = { udpPort: 0, listenAddresses: ['203.0.113.77'], ingests: [], pushes: [] };
  const { problems } = await rig.service.configure(mediaConfigSchema.parse(elsewhere));
  expect(problems).toEqual([expect.stringMatching(/203\.0\.113\.77.*media\.addresses/)]);
});

it.each([
  ['native, where there is one', createMediaPlane],
  ['JavaScript', createNodePlane],
])(
  'By default a machine offers its addresses of both families, loopback last (%s)',
  async (_name, createPlane) => {
    const logger = pino({ level: 'silent' });
    await using datapath = await createPlane({ logger });
    await using service = new MediaService({ datapath, logger, onEvent: () => {} });
    await service.configure(
      mediaConfigSchema.parse({ udpPort: 0, listenAddresses: 'auto', ingests: [], pushes: [] }),
    );
    const { answer } = await service.whipOffer(publication);
    const offered = [...answer.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) \d+ typ host/gm)].map(
      (line) => line[1],
    );
    expect(offered).toEqual(localAddresses());
  },
);

it('Reports a link-local IPv6 address, with the setting', async () => {
  await using rig = await openMediaRig();
  const elsewhere = { udpPort: 0, listenAddresses: ['fe80::1'], ingests: [], pushes: [] };
  const { problems } = await rig.service.configure(mediaConfigSchema.parse(elsewhere));
  expect(problems).toEqual([expect.stringMatching(/fe80::1.*media\.addresses/)]);
});

it('The log says what to change when a publisher is rejected, as its own program may not show it', async () => {
  const lines: { level: number; feed?: string; reason?: string; msg: string }[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const plane = await createMediaPlane({ logger });
  const service = new MediaService({ datapath: plane, logger, onEvent: () => {} });
  for (let time = 0; time < 10; time++) {
    const offer = service.whipOffer({ ...publication, sdp: h265Whip.replace('H265', 'VP9'), feed: 'stage' });
    await expect(offer).rejects.toMatchObject({ code: 'CODEC_UNSUPPORTED' });
  }
  const refused = lines.filter(({ msg }) => msg === 'a publisher was refused');
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThan(10);
  expect(refused[0]).toMatchObject({ feed: 'stage', reason: expect.stringContaining('VP9') });
  await service[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});
