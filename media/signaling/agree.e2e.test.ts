import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { eventually, freeRtpPort, openMediaRig } from './media-rig.fake.ts';
import { startLiveSource } from './recording.fake.ts';

/**
 * A proxy in front of a hub that answers as go2rtc does: it accepts every offered audio codec, as long as the one that it has is
 * among them; otherwise the sound is inactive.
 */
async function openVagueServer(whep: string, has: 'PCMA' | 'none') {
  const offered: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    if (request.method === 'DELETE') {
      await fetch(new URL(request.url ?? '', whep), { method: 'DELETE' });
      response.writeHead(200).end();
      return;
    }
    const [, sound = ''] = body.split('m=audio');
    const codecs = [...sound.matchAll(/a=rtpmap:\d+ (OPUS|PCMU|PCMA)\//gi)].map(([, name = '']) =>
      name.toUpperCase(),
    );
    offered.push(codecs.join(' '));
    const agreed = await fetch(whep, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body,
    });
    const [head = '', audio = ''] = (await agreed.text()).split(/(?=m=audio)/);
    const inactive = audio.replace('a=sendonly', 'a=inactive');
    const answer = head + (codecs.includes(has) ? audio : inactive);
    const location = agreed.headers.get('location') ?? '';
    response.writeHead(201, { 'content-type': 'application/sdp', location }).end(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    offered,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/whep/cam0`,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('A pull from a server that agrees to several audio codecs', () => {
  it('asks for one after the other until it is the one the server has', async () => {
    const rtpPort = await freeRtpPort();
    await using there = await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] });
    const ffmpeg = startLiveSource(rtpPort, { size: '320x180' });
    try {
      await eventually(() => there.service.feeds.get('cam0')?.ready ?? false, 'the feed is ready');
      using server = await openVagueServer(`${there.url}/whep/cam0`, 'PCMA');
      await using here = await openMediaRig({ pulls: [{ feed: 'far', url: server.url }] });
      await eventually(() => here.service.feeds.get('far')?.ready === true, 'the copy is there');
      expect(server.offered).toEqual(['OPUS PCMU PCMA', 'OPUS', 'PCMU', 'PCMA']);
      expect(here.service.feeds.get('far')?.audio?.codec).toBe('pcma');
      // The unsuccessful sessions were ended.
      expect(there.service.status().sessions).toBe(1);
    } finally {
      ffmpeg.kill('SIGKILL');
    }
  });

  it('accepts the answer of a server without sound', async () => {
    const rtpPort = await freeRtpPort();
    await using there = await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] });
    const ffmpeg = startLiveSource(rtpPort, { size: '320x180' });
    try {
      await eventually(() => there.service.feeds.get('cam0')?.ready ?? false, 'the feed is ready');
      using server = await openVagueServer(`${there.url}/whep/cam0`, 'none');
      await using here = await openMediaRig({ pulls: [{ feed: 'far', url: server.url }] });
      await eventually(() => here.service.feeds.get('far')?.ready === true, 'the copy is there');
      expect(server.offered).toEqual(['OPUS PCMU PCMA']);
      expect(here.service.feeds.get('far')?.audio).toBeNull();
    } finally {
      ffmpeg.kill('SIGKILL');
    }
  });
});
