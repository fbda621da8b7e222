import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, freeRtpPort, type MediaRig, openMediaRig } from '../signaling/media-rig.fake.ts';
import { startLiveSource } from '../signaling/recording.fake.ts';
import { ClientJudge } from './client-judge.ts';
import type { Finding } from './requirement.ts';
import { type ClientRecord, clientRequirements, type Exchange } from './requirements/clients.ts';

const wrongIn = (findings: readonly Finding[]) => findings.filter(({ verdict }) => verdict === 'fail');

describe('As a client, this product', () => {
  let rig: MediaRig;
  let ffmpeg: ReturnType<typeof startLiveSource>;
  let rtpPort = 0;

  beforeAll(async () => {
    rtpPort = await freeRtpPort();
    rig = await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] });
    ffmpeg = startLiveSource(rtpPort, { size: '320x180' });
    await eventually(() => rig.service.feeds.get('cam0')?.ready ?? false, 'the feed is ready');
  });
  afterAll(async () => {
    ffmpeg.kill('SIGKILL');
    await rig[Symbol.asyncDispose]();
  });

  it('meets the requirements of RFC 9725 for publishers', async () => {
    await using hub = await openMediaRig();
    await using judge = new ClientJudge('whip', `${hub.url}/whip/there`);
    const url = await judge.open();
    const port = await freeRtpPort();
    const source = startLiveSource(port, { size: '320x180' });
    try {
      await using camera = await openMediaRig({
        ingests: [{ feed: 'own', rtpPort: port, kind: 'h264' }],
        pushes: [{ feed: 'own', url, token: 'key' }],
      });
      await eventually(() => camera.service.status().pushes[0]?.state === 'connected', 'it publishes');
    } finally {
      source.kill('SIGKILL');
    }
    await eventually(() => judge.exchanges.some(({ method }) => method === 'DELETE'), 'it ends its session');
    const findings = await judge.findings();
    expect(wrongIn(findings)).toEqual([]);
    expect(findings.length).toBeGreaterThan(10);
  });

  it('meets the requirements of the WHEP draft for players', async () => {
    await using judge = new ClientJudge('whep', `${rig.url}/whep/cam0`);
    const url = await judge.open();
    {
      await using hub = await openMediaRig({ pulls: [{ feed: 'far', url, token: 'key' }] });
      await eventually(() => hub.service.feeds.get('far')?.ready ?? false, 'the copy is there');
    }
    await eventually(() => judge.exchanges.some(({ method }) => method === 'DELETE'), 'it ends its session');
    expect(wrongIn(await judge.findings())).toEqual([]);
  });
});

describe('Each check of a client can fail', () => {
  const offer = [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'a=mid:0',
    'a=sendonly',
    'a=msid:stream video',
    'a=setup:actpass',
    'a=rtcp-mux',
    'a=rtcp-mux-only',
    '',
  ].join('\r\n');
  const request = (method: string, more: Partial<Exchange> = {}): Exchange => ({
    method,
    path: '/whip/cam0',
    headers: { 'content-type': 'application/sdp', authorization: 'Bearer key' },
    body: method === 'POST' ? offer : '',
    status: 200,
    etag: null,
    ...more,
  });
  const fragment = { 'content-type': 'application/trickle-ice-sdpfrag', authorization: 'Bearer key' };
  const good = [
    request('POST', { status: 307 }),
    request('POST', { status: 201, etag: '"one"' }),
    request('PATCH', { headers: { ...fragment, 'if-match': '"one"' } }),
    request('DELETE'),
  ];
  const withOffer = (from: string, to: string): Exchange[] =>
    good.map((exchange) => ({ ...exchange, body: exchange.body.replaceAll(from, to) }));
  const bad: Readonly<Record<string, readonly Exchange[]>> = {
    'client-offer': good.map((exchange) => ({ ...exchange, headers: { 'content-type': 'text/plain' } })),
    'client-direction': withOffer('a=sendonly', 'a=recvonly'),
    'client-one-way': withOffer('a=sendonly', 'a=sendrecv'),
    'client-bundle': withOffer('BUNDLE 0', 'BUNDLE 1'),
    'client-rtcp-mux-only': withOffer('a=rtcp-mux-only\r\n', ''),
    'client-one-stream': withOffer('a=msid:stream video\r\n', ''),
    'client-setup': withOffer('a=setup:actpass', 'a=setup:passive'),
    'client-full-ice': withOffer('t=0 0\r\n', 't=0 0\r\na=ice-lite\r\n'),
    'client-redirect': [request('POST', { status: 307 }), request('POST', { body: 'another' })],
    'client-token': [...good, request('DELETE', { headers: {} })],
    'client-patch-tag': [...good, request('PATCH', { headers: fragment })],
    'client-patch-type': [...good, request('PATCH', { headers: { 'content-type': 'text/plain' } })],
    'client-extensions': good.slice(0, 2),
    'client-delete': good.slice(0, 2),
    'client-delete-tag': [request('DELETE', { headers: { 'if-match': '"one"' } })],
  };

  it.each(clientRequirements.filter(({ unseen }) => unseen !== true))('$id', async ({ id, look }) => {
    const judge = (exchanges: readonly Exchange[]) => {
      const record: ClientRecord = { protocol: 'whip', exchanges };
      return look(record);
    };
    expect(await judge(good)).toMatchObject({ verdict: 'pass' });
    expect(await judge(bad[id] ?? good)).toMatchObject({ verdict: 'fail' });
  });
});
