import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Feed } from '../supervisor/contract/index.ts';
import { netnsObstacle, TestLan } from '../supervisor/testing/netns.ts';
import { openBrowser } from './testing/browser.ts';
import { apiPort, Machine } from './testing/machine.ts';

const obstacle = await netnsObstacle();
const settings = `role = "hub"
name = "stage"
[http]
listen = ["0.0.0.0"]
port = ${apiPort}
tls = false
[[source]]
id = "cam0"
kind = "test"
width = 320
height = 180
fps = 25
`;

/** Plays for a while; gives how many frames it decoded, and by which protocol and address they came. */
const player = `async ({ token, frames }) => {
  const peer = new RTCPeerConnection({ iceServers: [] });
  peer.addTransceiver('video', { direction: 'recvonly' });
  await peer.setLocalDescription();
  const headers = { authorization: 'Bearer ' + token, 'content-type': 'application/sdp' };
  const created = await fetch('/whep/cam0', { method: 'POST', headers, body: peer.localDescription.sdp });
  const answer = await created.text();
  if (!created.ok) throw new Error(answer);
  await peer.setRemoteDescription({ type: 'answer', sdp: answer });
  const until = performance.now() + 45000;
  const seen = { decoded: 0, protocol: null, address: null };
  while (seen.decoded < frames && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const stats = await peer.getStats();
    for (const report of stats.values()) {
      if (report.type === 'inbound-rtp') seen.decoded = report.framesDecoded;
      if (report.type !== 'transport' || !report.selectedCandidatePairId) continue;
      const remote = stats.get(stats.get(report.selectedCandidatePairId).remoteCandidateId);
      Object.assign(seen, { protocol: remote.protocol, address: remote.address });
    }
  }
  peer.close();
  return seen;
}`;

/** What the player saw. */
interface Seen {
  readonly decoded: number;
  readonly protocol: string | null;
  readonly address: string | null;
}

function play(page: Page, token: string, frames: number): Promise<Seen> {
  return page.evaluate(`(${player})(${JSON.stringify({ token, frames })})`);
}

test.skipIf(obstacle !== null)(
  `a browser plays in a network that blocks UDP${obstacle === null ? '' : ` (skipped: ${obstacle})`}`,
  async () => {
    await using lan = await new TestLan().open();
    const host = await lan.addHost('hub', '10.77.0.1/24');
    await using hub = await new Machine(host).boot(settings);
    const there = async () =>
      (await hub.ask<Feed[]>('GET', '/api/feeds')).find(({ id }) => id === 'cam0')?.state === 'online';
    await hub.until('the feed is online', there, 90_000);
    const token = await hub.ownerToken();

    const blocked = await lan.addHost('blocked', '10.77.0.3/24');
    await using browser = await openBrowser([], blocked.namespace);
    const page = await browser.newPage();
    await page.goto(`http://10.77.0.1:${apiPort}/healthz`);
    // Where UDP gets through, it is the way.
    expect(await play(page, token, 10)).toMatchObject({ protocol: 'udp', address: '10.77.0.1' });
    await blocked.blockUdp();
    const seen = await play(page, token, 100);
    expect(seen).toMatchObject({ protocol: 'tcp', address: '10.77.0.1' });
    expect(seen.decoded).toBeGreaterThanOrEqual(100);
  },
  240_000,
);
