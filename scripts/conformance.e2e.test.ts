import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lab, type Patience } from '../media/conformance/lab.ts';
import { tableOf, verdictsIn } from '../media/conformance/report.ts';
import type { Finding, Protocol } from '../media/conformance/requirement.ts';
import { requirements } from '../media/conformance/requirements/index.ts';
import { brokenServers } from '../media/conformance/spoilers.fake.ts';
import { SpoilingProxy } from '../media/conformance/spoiling-proxy.fake.ts';
import { runSuite } from '../media/conformance/suite.ts';
import { buildStun, parseStun, StunType } from '../media/datapath/ice/stun.ts';
import {
  type ApplianceProcess,
  freePort,
  freeUdpPort,
  root,
  startAppliance,
} from './testing/appliance-process.ts';

/** As on a device, where everything needs a key; by HTTP, since everybody is on this machine. */
const settings = (udpPort: number, tlsPort: number) => `role = "hub"
[http]
listen = ["127.0.0.1"]
auth = "required"
tls = false
tls_port = ${tlsPort}
[media]
udp_port = ${udpPort}
[devices]
adopt = "never"
[[source]]
id = "cam0"
kind = "test"
width = 320
height = 180
fps = 25
`;

let appliance: ApplianceProcess;
let token = '';

beforeAll(async () => {
  appliance = await startAppliance({
    config: settings(await freeUdpPort(), await freePort()),
    command: [process.execPath, 'supervisor/main.ts'],
  });
  token = await appliance.until('the owner token', async () =>
    (await readFile(join(appliance.data, 'owner-token'), 'utf8')).trim(),
  );
  const headers = { authorization: `Bearer ${token}` };
  await appliance.until('the feed is there', async () => {
    const response = await fetch(`${appliance.url}/api/feeds/cam0`, { headers });
    return ((await response.json()) as { state?: string }).state === 'online';
  });
}, 120_000);

afterAll(async () => {
  await appliance[Symbol.asyncDispose]();
});

const failed = (document: string, name: string): string[] =>
  verdictsIn(document, name).filter((row) => row.endsWith(' fail'));

test('the appliance meets every MUST, and docs/conformance.md names what fails', async () => {
  const findings: Finding[] = await runSuite({
    whip: `${appliance.url}/whip/conformance`,
    whep: `${appliance.url}/whep/conformance`,
    empty: `${appliance.url}/whep/nobody`,
    token,
    only: null,
    onFinding: () => {},
  });
  const wrong = findings.filter(({ level, verdict }) => level === 'MUST' && verdict === 'fail');
  expect(wrong).toEqual([]);
  const published = await readFile(join(root, 'docs', 'conformance.md'), 'utf8');
  for (const protocol of ['whip', 'whep'] as const) {
    const own = tableOf(findings.filter((finding) => finding.protocol === protocol));
    const name = `server ${protocol}`;
    expect(failed(published, name)).toEqual(failed(`<!-- ${name} -->${own}`, name));
  }
  expect(findings.length).toBeGreaterThan(100);
}, 400_000);

/** Says yes to every check, and proves nothing. */
async function openWrongStun(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (datagram, { address, port }) => {
    const message = parseStun(datagram);
    if (message === null) return;
    socket.send(buildStun(StunType.SUCCESS, message.transaction, [], 'some password'), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

describe('Each check can fail', () => {
  const patience: Patience = {
    connectMs: 4000,
    mediaMs: 2000,
    endMs: 1500,
    consentMs: 1500,
    flood: 20,
    floodPerSecond: 0,
  };
  const proxies: SpoilingProxy[] = [];
  let broken: ReturnType<typeof brokenServers>;
  let proxy: SpoilingProxy;
  let url = '';
  let wrongStun: Socket;

  beforeAll(async () => {
    wrongStun = await openWrongStun();
    broken = brokenServers(wrongStun.address().port, await freeUdpPort());
    proxy = new SpoilingProxy(appliance.url);
    proxies.push(proxy);
    url = await proxy.open();
  });

  afterAll(async () => {
    wrongStun.close();
    for (const one of proxies) await one[Symbol.asyncDispose]();
  });

  test.each(requirements.filter(({ id, unseen }) => id !== 'https' && unseen !== true))(
    '$id',
    async ({ id, sections, look }) => {
      const spoiler = broken[id];
      if (spoiler === undefined) throw new Error(`nobody breaks ${id}`);
      const protocol: Protocol = spoiler.protocol ?? (sections.whip === undefined ? 'whep' : 'whip');
      // A viewer needs something to view; what is published under another name disturbs nobody.
      const feed = protocol === 'whep' ? 'cam0' : 'spoiled';
      const endpoint = { protocol, url: `${url}/${protocol}/${feed}`, token };
      const lab = new Lab({ endpoint, emptyUrl: `${url}/whep/nobody`, patience });
      proxy.spoiler = spoiler;
      try {
        const outcome = await look(lab);
        expect(outcome).toMatchObject({ verdict: 'fail' });
        expect(outcome.reason).toMatch(spoiler.says);
      } catch (error) {
        // An error that ends a check is a failure, too, and says why.
        expect(String(error)).toMatch(spoiler.says);
      } finally {
        proxy.spoiler = {};
        await lab.clear();
      }
    },
    120_000,
  );

  test('https', async () => {
    const https = requirements.find(({ id }) => id === 'https');
    const endpoint = { protocol: 'whip', url: 'http://hub.example.org/whip/cam0', token } as const;
    expect(await https?.look(new Lab({ endpoint, emptyUrl: null }))).toMatchObject({ verdict: 'fail' });
  });
});
