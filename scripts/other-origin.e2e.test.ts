import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApplianceProcess, freePort, freeUdpPort, startAppliance } from './testing/appliance-process.ts';
import { openBrowser } from './testing/browser.ts';

/** A page of somebody else, on another origin, that plays with a key as MediaMTX's reader.js does: trickles with a star, and ends. */
const player = `async ({ url, token }) => {
  const authorization = 'Bearer ' + token;
  const asked = [];
  const ask = async (target, method, headers = {}, body = undefined) => {
    const response = await fetch(target, { method, headers: { authorization, ...headers }, body });
    asked.push(method + ' ' + response.status);
    return response;
  };
  await ask(url, 'OPTIONS');
  const peer = new RTCPeerConnection({ iceServers: [] });
  peer.addTransceiver('video', { direction: 'recvonly' });
  peer.addTransceiver('audio', { direction: 'recvonly' });
  const kept = [];
  peer.onicecandidate = ({ candidate }) => { if (candidate) kept.push(candidate); };
  await peer.setLocalDescription();
  const sdp = peer.localDescription.sdp;
  const created = await ask(url, 'POST', { 'content-type': 'application/sdp' }, sdp);
  const session = new URL(created.headers.get('location'), url).href;
  const etag = created.headers.get('etag');
  await peer.setRemoteDescription({ type: 'answer', sdp: await created.text() });
  const value = (name) => new RegExp('^a=' + name + ':(.*)$', 'm').exec(sdp)[1].trim();
  while (peer.iceGatheringState !== 'complete') await new Promise((resolve) => setTimeout(resolve, 50));
  const fragment = [
    'a=ice-ufrag:' + value('ice-ufrag'),
    'a=ice-pwd:' + value('ice-pwd'),
    'm=video 9 UDP/TLS/RTP/SAVPF 0',
    'a=mid:0',
    ...kept.map(({ candidate }) => 'a=' + candidate),
    '',
  ].join('\\r\\n');
  await ask(session, 'PATCH', { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': '*' }, fragment);
  const framesDecoded = async () => {
    for (const report of (await peer.getStats()).values())
      if (report.type === 'inbound-rtp' && report.kind === 'video') return report.framesDecoded;
    return 0;
  };
  const until = performance.now() + 15000;
  while ((await framesDecoded()) === 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
  const decoded = await framesDecoded();
  await ask(session, 'DELETE');
  peer.close();
  return { asked, decoded, readsTag: etag !== null };
}`;

let appliance: ApplianceProcess;
let elsewhere: Server;

beforeAll(async () => {
  const config = `role = "hub"
[http]
listen = ["127.0.0.1"]
auth = "required"
tls = false
tls_port = ${await freePort()}
[media]
udp_port = ${await freeUdpPort()}
[devices]
adopt = "never"
[[source]]
id = "cam0"
kind = "test"
width = 320
height = 180
fps = 25
`;
  appliance = await startAppliance({ config, command: [process.execPath, 'supervisor/main.ts'] });
  elsewhere = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>somebody else</title>');
  });
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
}, 120_000);

afterAll(async () => {
  elsewhere.closeAllConnections();
  elsewhere.close();
  await appliance[Symbol.asyncDispose]();
});

test('a player on a page of another origin plays, trickles and ends its session', async () => {
  const token = await appliance.until('the owner token', async () =>
    (await readFile(join(appliance.data, 'owner-token'), 'utf8')).trim(),
  );
  await appliance.until('the feed is there', async () => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${appliance.url}/api/feeds/cam0`, { headers });
    return ((await response.json()) as { state?: string }).state === 'online';
  });
  await using browser = await openBrowser(['--allow-loopback-in-peer-connection']);
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);
  const url = `${appliance.url}/whep/cam0`;
  const played = (await page.evaluate(`(${player})(${JSON.stringify({ url, token })})`)) as {
    asked: string[];
    decoded: number;
    readsTag: boolean;
  };
  expect(played.asked).toEqual(['OPTIONS 200', 'POST 201', 'PATCH 204', 'DELETE 200']);
  expect(played.readsTag).toBe(true);
  expect(played.decoded).toBeGreaterThan(0);
}, 120_000);
