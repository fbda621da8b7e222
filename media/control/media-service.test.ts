import { expect, it } from 'vitest';
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

it('Feeds have the names that the API allows', () => {
  const ingests = [{ feed: 'stage_left', rtpPort: 5004, kind: 'h264' }];
  const config = { udpPort: 0, listenAddresses: 'auto', ingests, pushes: [] };
  expect(mediaConfigSchema.safeParse(config).success).toBe(true);
});
