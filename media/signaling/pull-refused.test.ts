import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { eventually, openMediaRig } from './media-rig.fake.ts';
import { buildPullOffer } from './pull-offer.ts';

/** A server that takes offers of one codec alone, and refuses others as MediaMTX does. */
async function serve(codec: 'H265' | 'VP8') {
  const seen: string[] = [];
  const taken: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    seen.push(`${request.method} ${request.url}`);
    if (request.method === 'DELETE') response.writeHead(200).end();
    else if (body.includes(`${codec}/90000`)) {
      taken.push(body);
      response.writeHead(201, { 'content-type': 'application/sdp', location: '/session/1' }).end(body);
    } else {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"status":"error","error":"codecs not supported by client"}');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    seen,
    taken,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hevc/whep`,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('A rejected pull', () => {
  it('asks for H.265 instead', async () => {
    using server = await serve('H265');
    await using rig = await openMediaRig({ pulls: [{ feed: 'far', url: server.url }] });
    await eventually(() => server.taken.length > 0, 'the server takes an offer');
    expect(server.taken[0]).not.toContain('H264');
    expect(rig.service.status().pulls[0]?.reason).toBeNull();
  });

  it('of neither codec quotes the server', async () => {
    using server = await serve('VP8');
    await using rig = await openMediaRig({ pulls: [{ feed: 'far', url: server.url }] });
    const pull = () => rig.service.status().pulls[0];
    await eventually(() => pull()?.state === 'failed', 'it says that it failed');
    expect(pull()?.reason).toContain('400');
    expect(server.seen.filter((line) => line.startsWith('DELETE'))).toEqual([]);
  });
});

describe('The offer of a pull', () => {
  it('contains one codec of the picture, so that a server with both cannot choose the other', () => {
    const local = {
      ice: { ufrag: 'some', pwd: '0123456789abcdefghijkl' },
      candidates: [],
      fingerprint: { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => '0A').join(':') },
    };
    expect(buildPullOffer(local)).not.toContain('H265');
    expect(buildPullOffer(local).match(/H264\/90000/g)).toHaveLength(3);
    expect(buildPullOffer(local, { codec: 'h265' })).not.toContain('H264');
  });
});
