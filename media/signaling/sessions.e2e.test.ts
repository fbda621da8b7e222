import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually, freeRtpPort, openMediaRig } from './media-rig.fake.ts';
import { NativePeer } from './native-peer.fake.ts';
import { buildPushOffer } from './push-offer.ts';
import { startLiveSource } from './recording.fake.ts';

function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

describe('Sessions', () => {
  it('leave nothing behind', async () => {
    const rtpPort = await freeRtpPort();
    await using rig = await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] });
    const ffmpeg = startLiveSource(rtpPort, { size: '320x180' });
    try {
      await eventually(() => rig.service.feeds.get('cam0')?.ready ?? false, 'the feed is ready');
      const visit = async (): Promise<void> => {
        using peer = new NativePeer('RecvOnly', { audio: false });
        await peer.connect(`${rig.url}/whep/cam0`);
        const response = await fetch(peer.location, { method: 'DELETE' });
        expect(response.status).toBe(200);
      };
      await visit();
      await sleep(1500);
      const before = resources();
      for (let i = 0; i < 10; i++) await visit();
      expect(rig.service.status().sessions).toBe(0);
      expect(rig.service.feeds.get('cam0')?.viewers.size).toBe(0);
      await eventually(() => {
        const now = resources();
        return ['UDPWrap', 'Timeout'].every((kind) => (now[kind] ?? 0) <= (before[kind] ?? 0));
      }, 'sockets and timers are as before');
    } finally {
      ffmpeg.kill('SIGKILL');
    }
  });

  it('end when the viewer vanishes', async () => {
    const rtpPort = await freeRtpPort();
    const ingests = [{ feed: 'cam0', rtpPort, kind: 'h264' as const }];
    await using rig = await openMediaRig({ ingests }, { peerSilenceMs: 500 });
    const ffmpeg = startLiveSource(rtpPort, { size: '320x180' });
    try {
      await eventually(() => rig.service.feeds.get('cam0')?.ready ?? false, 'the feed is ready');
      // This client sends no reports and checks its path every 15 s: to an impatient server it has vanished.
      using peer = new NativePeer('RecvOnly', { audio: false });
      await peer.connect(`${rig.url}/whep/cam0`);
      await eventually(
        () => rig.events.some((event) => event.event === 'session-closed' && event.reason === 'silent'),
        'the silence is noticed',
      );
      expect(rig.service.status().sessions).toBe(0);
      expect(rig.service.feeds.get('cam0')?.viewers.size).toBe(0);
    } finally {
      ffmpeg.kill('SIGKILL');
    }
  });

  it('of a key end when it is revoked, and no others', async () => {
    await using rig = await openMediaRig();
    using publisher = new NativePeer('SendOnly', { audio: false });
    await publisher.connect(`${rig.url}/whip/cam0`, { authorization: 'Bearer revoked' });
    using other = new NativePeer('SendOnly', { audio: false });
    await other.connect(`${rig.url}/whip/cam1`, { authorization: 'Bearer kept' });
    expect(rig.service.endSessionsOf('Bearer unknown')).toBe(0);
    expect(rig.service.endSessionsOf('Bearer revoked')).toBe(1);
    const closed = rig.events.filter((event) => event.event === 'session-closed');
    expect(closed.map(({ session }) => session.feed)).toEqual(['cam0']);
    expect((await fetch(publisher.location, { method: 'PATCH' })).status).toBe(404);
    expect((await fetch(other.location, { method: 'DELETE' })).status).toBe(200);
  });

  it('that are only offered neither reserve a name against a camera nor take one from it', async () => {
    await using rig = await openMediaRig();
    const url = `${rig.url}/whip/cam0`;
    const offer = (authorization: string, profile?: string) => {
      const peer = new NativePeer('SendOnly', {
        audio: false,
        ...(profile === undefined ? {} : { profile }),
      });
      return { peer, connected: peer.connect(url, { authorization }) };
    };
    const local = { ufrag: 'idle', pwd: 'idlepasswordidlepassword' };
    const fingerprint = { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => '0A').join(':') };
    const idle = buildPushOffer(
      { ice: local, candidates: [], fingerprint },
      { cname: 'idle', streamId: 'idle', videoSsrc: 1, audioSsrc: 2 },
      { video: null, audio: null },
    );
    const post = () => fetch(url, { method: 'POST', body: idle, headers: { authorization: 'Bearer idler' } });
    expect((await post()).status).toBe(201);
    const camera = offer('Bearer camera');
    using _ = camera.peer;
    await camera.connected;
    const isOn = () => rig.service.feeds.get('cam0')?.source?.present ?? false;
    await eventually(isOn, 'the camera has its feed');
    expect((await post()).status).toBe(409);
    // The same camera again, as after a restart: it takes over once it is connected.
    const sameOffer = await fetch(url, {
      method: 'POST',
      body: idle,
      headers: { authorization: 'Bearer camera' },
    });
    expect(sameOffer.status).toBe(201);
    expect(isOn()).toBe(true);
    const again = offer('Bearer camera');
    using __ = again.peer;
    await again.connected;
    await eventually(
      () => rig.events.some(({ event }) => event === 'session-closed'),
      'the first one makes room',
    );
    expect(isOn()).toBe(true);
  });

  it('trickle, restart ICE and reject what the rules forbid', async () => {
    const rtpPort = await freeRtpPort();
    await using rig = await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] });
    const ffmpeg = startLiveSource(rtpPort, { size: '320x180' });
    try {
      await eventually(() => rig.service.feeds.get('cam0')?.ready ?? false, 'the feed is ready');
      using peer = new NativePeer('RecvOnly', { audio: false });
      let packets = 0;
      peer.onPacket('video', () => packets++);
      await peer.connect(`${rig.url}/whep/cam0`);
      const patch = (body: string, ifMatch?: string) =>
        fetch(peer.location, {
          method: 'PATCH',
          body,
          headers: {
            'content-type': 'application/trickle-ice-sdpfrag',
            ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
          },
        });
      const candidate = 'a=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n';
      const restart = `a=ice-ufrag:${'n'.repeat(8)}\r\na=ice-pwd:${'p'.repeat(24)}\r\n`;
      expect((await patch(candidate)).status).toBe(428);
      expect((await patch(candidate, '"stale"')).status).toBe(412);
      expect((await patch(candidate, peer.etag)).status).toBe(204);
      expect((await patch(candidate, '*')).status).toBe(204);
      expect((await patch('nonsense', peer.etag)).status).toBe(400);
      const answer = await patch(restart, '*');
      expect(answer.status).toBe(200);
      expect(await answer.text()).toMatch(/a=ice-ufrag:[0-9a-f]{12}\r\na=ice-pwd:/);
      const etag = answer.headers.get('etag') ?? '';
      expect(etag).not.toBe(peer.etag);
      expect((await patch(candidate, peer.etag)).status).toBe(412);
      expect((await patch(candidate, etag)).status).toBe(204);
      // The restart never completes, since this client does not take part in it; the session continues anyway.
      const before = packets;
      await eventually(() => packets > before + 50, 'media goes on after a failed restart');
      expect((await fetch(peer.location, { method: 'DELETE' })).status).toBe(200);
      // Ended already, as a client that said goodbye by DTLS finds it.
      expect((await fetch(peer.location, { method: 'DELETE' })).status).toBe(200);
      expect((await patch(candidate, '*')).status).toBe(404);
    } finally {
      ffmpeg.kill('SIGKILL');
    }
  });
});
