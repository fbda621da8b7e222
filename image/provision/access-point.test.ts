import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeAccessPointSystem } from './access-point.fake.ts';
import { type AccessPointTimes, keepReachable } from './access-point.ts';
import { accessPointNetwork, namesIn } from './access-point-linux.ts';

const patient = { timeout: 20_000, interval: 10 };
const soon: AccessPointTimes = { pollMs: 10, visitMs: 60_000 };
let system: FakeAccessPointSystem;
let stop: AbortController;
let running: Promise<void> | null = null;
let pagePort = 0;

beforeEach(async () => {
  system = new FakeAccessPointSystem();
  stop = new AbortController();
  pagePort = await freePort();
});
afterEach(async () => {
  stop.abort();
  await running?.catch(() => {}); // a test that expects it has looked at it
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function start(times: AccessPointTimes = soon): Promise<void> {
  const settings = { enabled: true, afterMs: 30, ssid: 'left' };
  const ports = { page: pagePort, names: 0 };
  running = keepReachable({ settings, system, log: () => {}, times, ports }, stop.signal);
  return running;
}

const opened = () => vi.waitFor(() => expect(system.events).toContain('open wlan0 left'), patient);
const closed = () => vi.waitFor(() => expect(system.events).toContain('closed'), patient);

test('with a network there is no access point; without one it opens and accepts a network', async () => {
  system.addresses = ['192.168.1.20'];
  void start();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(system.events).toEqual([]);
  system.addresses = ['169.254.1.1'];
  await opened();
  const url = `http://127.0.0.1:${pagePort}/hotspot-detect.html`;
  const page = await vi.waitFor(async () => await (await fetch(url)).text(), patient);
  expect(page).toContain('value="Van"');
  const form = new URLSearchParams({ ssid: 'Van', psk: 'tune in tokyo' });
  expect((await fetch(url, { method: 'POST', body: form })).status).toBe(200);
  await closed();
  expect(system.kept).toEqual([{ ssid: 'Van', psk: 'tune in tokyo', hidden: false }]);
  // Kept before it closes: with closing, the known networks are tried.
  expect(system.events.slice(0, 3)).toEqual(['open wlan0 left', 'keep Van', 'closed']);
});

test('closes when a cable is plugged in', async () => {
  void start();
  await opened();
  system.addresses = ['192.168.1.20'];
  await closed();
  expect(system.kept).toEqual([]);
});

test('closes when nobody came, and opens again', async () => {
  void start({ pollMs: 10, visitMs: 200 });
  await vi.waitFor(() => expect(system.events.filter((event) => event === 'closed').length).toBe(2), patient);
  expect(system.events.slice(0, 3)).toEqual(['open wlan0 left', 'closed', 'open wlan0 left']);
});

test('closes when the radio gives up', async () => {
  void start();
  await opened();
  system.pull();
  await closed();
});

test('closes with its service', async () => {
  const ended = start();
  await opened();
  stop.abort();
  await ended;
  expect(system.events).toEqual(['open wlan0 left', 'closed']);
});

test('exits with an error if the radio cannot be an access point, so that the service restarts', async () => {
  system.failsToOpen = true;
  await expect(start()).rejects.toThrow('the radio is broken');
});

test('does nothing without a radio', async () => {
  system.radio = undefined;
  const ended = start();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(system.events).toEqual([]);
  stop.abort();
  await ended;
});

test('lists nearby networks', () => {
  const text =
    'BSS 02:00\n\tSSID: Van\n\tsignal: -40\nBSS 02:01\n\tSSID: \nBSS 02:02\n\tSSID: Van\n\tSSID: stage left\n';
  expect(namesIn(text)).toEqual(['Van', 'stage left']);
});

test('gives phones an address and answers their DNS queries', () => {
  expect(accessPointNetwork('wlan0')).toContain('DNS=10.42.0.1\n');
  expect(accessPointNetwork('wlan0')).toContain('Address=10.42.0.1/24\n');
});
