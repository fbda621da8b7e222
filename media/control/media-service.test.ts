import { expect, it, vi } from 'vitest';
import { freeRtpPort, openMediaRig } from '../signaling/media-rig.fake.ts';
import { buildPullOffer } from '../signaling/pull-offer.ts';
import { buildPushOffer } from '../signaling/push-offer.ts';
import { mediaConfigSchema } from './protocol.ts';

const remote = {
  ice: { ufrag: 'remote', pwd: 'remotepasswordremotepassword' },
  candidates: [],
  fingerprint: { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => '0A').join(':') },
};
const tracks = { cname: 'test', streamId: 'cam0', videoSsrc: 1, audioSsrc: 2 };
const publication = {
  feed: 'cam0',
  sdp: buildPushOffer(remote, tracks, { profileLevelId: '42e01f', hasAudio: false }),
  peer: null,
  publisherKey: null,
};

it('A publisher makes room for a camera of this machine that has its name, and cannot come back', async () => {
  await using rig = await openMediaRig();
  await rig.service.whipOffer(publication);
  const ingests = [{ feed: 'cam0', rtpPort: await freeRtpPort(), kind: 'h264' as const }];
  const config = { udpPort: 0, listenAddresses: ['127.0.0.1'], ingests, pushes: [] };
  expect(await rig.service.configure(mediaConfigSchema.parse(config))).toEqual({ problems: [] });
  expect(rig.events.filter(({ event }) => event === 'session-closed')).toHaveLength(1);
  expect(rig.service.feeds.get('cam0')?.source?.info.kind).toBe('ingest');
  await expect(rig.service.whipOffer(publication)).rejects.toMatchObject({ code: 'FEED_BUSY' });
});

it('A viewer whose publisher leaves while it waits for a picture is refused, and not left with none', async () => {
  await using rig = await openMediaRig();
  const { sessionId } = await rig.service.whipOffer(publication);
  const waiting = rig.service.whepOffer({ feed: 'cam0', sdp: buildPullOffer(remote), peer: null });
  waiting.catch(() => {});
  rig.service.session(sessionId).close();
  await expect(waiting).rejects.toMatchObject({ code: 'NO_PUBLISHER' });
  expect(rig.service.feeds.get('cam0')).toBeNull();
});

const view = { feed: 'cam0', sdp: buildPullOffer(remote), peer: null };

it('A session answers to the key that opened it and to who runs the appliance, and to nobody else', async () => {
  await using rig = await openMediaRig();
  const { service } = rig;
  const { sessionId } = await service.whipOffer({ ...publication, keyId: 'camera-key' });
  const claim = (kind: 'whip' | 'whep', feed: string, keyId: string | null, role: string) =>
    service.claimed.bind(service, sessionId, { kind, feed, by: { keyId, role } });
  expect(claim('whip', 'cam0', 'camera-key', 'camera')().id).toBe(sessionId);
  expect(claim('whip', 'cam0', 'other', 'operator')().id).toBe(sessionId);
  expect(claim('whip', 'cam0', null, 'owner')().id).toBe(sessionId);
  const strangers = [
    claim('whip', 'cam0', 'other', 'camera'),
    claim('whip', 'cam0', 'other', 'viewer'),
    claim('whip', 'cam0', null, 'public'),
    claim('whep', 'cam0', 'camera-key', 'camera'),
    claim('whip', 'cam1', 'camera-key', 'camera'),
    claim('whep', 'cam0', null, 'owner'),
  ];
  for (const stranger of strangers) expect(stranger).toThrow('no such session');
});

it('A session that has just ended by itself can be ended by its own key, and is unknown to others', async () => {
  await using rig = await openMediaRig();
  const { service } = rig;
  const { sessionId } = await service.whipOffer({ ...publication, keyId: 'camera-key' });
  service.session(sessionId).close();
  const by = { keyId: 'camera-key', role: 'camera' };
  service.closeSession(sessionId, { kind: 'whip', feed: 'cam0', by });
  const other = { keyId: 'other', role: 'camera' };
  expect(() => service.closeSession(sessionId, { kind: 'whip', feed: 'cam0', by: other })).toThrow('no such');
});

it('However many offers come at once, there are no more sessions than places, and cameras get theirs', async () => {
  await using rig = await openMediaRig({}, {}, { total: 20, forCameras: 5, perKey: 10 });
  const { service } = rig;
  await service.whipOffer({ ...publication, keyId: 'camera', role: 'camera' });
  const offers = (keyId: string, count: number) =>
    Array.from({ length: count }, () => service.whepOffer({ ...view, keyId, role: 'viewer' }));
  const results = await Promise.allSettled([...offers('one', 40), ...offers('two', 40)]);
  const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
  expect(refusals.filter((code) => code === 'SESSIONS_FULL')).toHaveLength(80 - 10 - 4);
  expect(service.status().sessions).toBeLessThanOrEqual(15);
  const cameras = Array.from({ length: 5 }, (_, index) =>
    service.whipOffer({ ...publication, feed: `cam${index + 1}`, keyId: `camera-${index}`, role: 'camera' }),
  );
  expect((await Promise.allSettled(cameras)).map(({ status }) => status)).toEqual(Array(5).fill('fulfilled'));
});

it('A name is held by who sends: one that was only asked for is free again in a moment, also when it is asked for again', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    await using rig = await openMediaRig();
    const { service } = rig;
    const squat = () => service.whipOffer({ ...publication, keyId: 'squatter', publisherKey: 'squatter' });
    const camera = () => service.whipOffer({ ...publication, keyId: 'camera', publisherKey: 'camera' });
    await squat();
    await expect(camera()).rejects.toMatchObject({ code: 'FEED_BUSY' });
    vi.advanceTimersByTime(1500);
    await squat();
    vi.advanceTimersByTime(1500);
    const { sessionId } = await camera();
    // And the squatter does not get it back at once.
    await expect(squat()).rejects.toMatchObject({ code: 'FEED_BUSY' });
    service.session(sessionId).noteMedia();
    vi.advanceTimersByTime(60_000);
    await expect(squat()).rejects.toMatchObject({ code: 'FEED_BUSY' });
  } finally {
    vi.useRealTimers();
  }
});

it('An offer whose key is revoked while it is under way comes to nothing, and so do the sessions of unknown keys', async () => {
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

it('Feeds have the names that the API allows', () => {
  const ingests = [{ feed: 'stage_left', rtpPort: 5004, kind: 'h264' }];
  const config = { udpPort: 0, listenAddresses: 'auto', ingests, pushes: [] };
  expect(mediaConfigSchema.safeParse(config).success).toBe(true);
});
