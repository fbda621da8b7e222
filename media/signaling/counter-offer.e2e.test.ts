import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { eventually, freeRtpPort, openMediaRig } from './media-rig.fake.ts';
import { buildPushOffer } from './push-offer.ts';
import { startLiveSource } from './recording.fake.ts';

/**
 * A WHEP server that answers every offer with one of its own. It has its media from a hub of ours as a viewer's session whose roles
 * are turned around: the hub's answer becomes the offer.
 */
async function openCounteringServer(whep: string) {
  const requests: { method: string; type: string; body: string }[] = [];
  let hubSession = '';
  const server = createServer(async (request, response) => {
    const body = await text(request);
    requests.push({ method: request.method ?? '', type: request.headers['content-type'] ?? '', body });
    if (request.method === 'PATCH') {
      response.writeHead(204).end();
      return;
    }
    if (request.method === 'DELETE') {
      await fetch(hubSession, { method: 'DELETE' });
      response.writeHead(200).end();
      return;
    }
    // The hub knows the player by what is in its offer; credentials and fingerprint are those of its answer, too.
    const agreed = await fetch(whep, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body,
    });
    hubSession = new URL(agreed.headers.get('location') ?? '', whep).href;
    const offer = (await agreed.text()).replaceAll('a=setup:passive', 'a=setup:actpass');
    response.writeHead(406, { 'content-type': 'application/sdp', location: '/session/1' }).end(offer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    requests,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/whep/far`,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('A server that answers with a counter-offer (406)', () => {
  it('is answered by a pull, which then gets the feed', async () => {
    const rtpPort = await freeRtpPort();
    await using there = await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] });
    const ffmpeg = startLiveSource(rtpPort, { size: '320x180' });
    try {
      await eventually(() => there.service.feeds.get('cam0')?.ready ?? false, 'the feed is ready');
      using server = await openCounteringServer(`${there.url}/whep/cam0`);
      await using here = await openMediaRig({ pulls: [{ feed: 'far', url: server.url }] });
      await eventually(() => here.service.feeds.get('far')?.ready === true, 'the copy is there');
      const patch = server.requests.find(({ method }) => method === 'PATCH');
      expect(patch?.type).toBe('application/sdp');
      const lines = patch?.body.split('\r\n') ?? [];
      expect(lines.filter((line) => line === 'a=recvonly').length).toBeGreaterThan(0);
      expect(lines).toContain('a=setup:active');
      expect(lines).not.toContain('a=ice-lite');
    } finally {
      ffmpeg.kill('SIGKILL');
    }
  });

  it('is rejected by a publishing camera, with its status', async () => {
    const local = {
      ice: { ufrag: 'some', pwd: '0123456789abcdefghijkl' },
      candidates: [],
      fingerprint: { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => '0A').join(':') },
    };
    const tracks = { cname: 'c', streamId: 's', videoSsrc: 1, audioSsrc: 2 };
    const offer = buildPushOffer(local, tracks, { video: null, audio: null });
    const server = createServer((_request, response) => {
      response.writeHead(406, { 'content-type': 'application/sdp', location: '/session/1' }).end(offer);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const rtpPort = await freeRtpPort();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/whip/cam0`;
    await using rig = await openMediaRig({
      ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }],
      pushes: [{ feed: 'cam0', url }],
    });
    const ffmpeg = startLiveSource(rtpPort, { size: '320x180' });
    try {
      const states = () => rig.service.status().pushes;
      await eventually(() => states()[0]?.state === 'failed', 'the push says that it failed');
      expect(states()[0]?.reason).toMatch(/its own offer/);
    } finally {
      ffmpeg.kill('SIGKILL');
      server.closeAllConnections();
      server.close();
    }
  });
});
