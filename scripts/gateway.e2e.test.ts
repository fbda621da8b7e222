import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Device } from '../supervisor/contract/index.ts';
import { openBrowser } from './testing/browser.ts';
import { openRecordedMachine, type RecordedMachine } from './testing/recorded-machine.ts';

const ours = 'usb-046d_HD_Pro_Webcam_C920_CD5AF2DF';
const patient = { timeout: 60_000 };
const asked: string[] = [];

let backend: Server;
let machine: RecordedMachine;

beforeAll(async () => {
  backend = createServer(async (request, response) => response.end(await answer(request)));
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  const upstream = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
  const config = `role = "hub"\n[devices]\nadopt = "never"\n[gateway]\nupstream = "${upstream}"\n`;
  machine = await openRecordedMachine({ fixture: 'c920-pi4', config });
}, 120_000);

afterAll(async () => {
  await machine?.[Symbol.asyncDispose]();
  backend.close();
});

/** An old backend with a camera of its own. */
async function answer(request: IncomingMessage): Promise<string> {
  const body = await text(request);
  asked.push(`${request.method} ${request.url} ${body}`.trim());
  if (request.url === '/api/devices')
    return JSON.stringify([{ id: 'old-1', label: 'Old camera' }, { id: ours }]);
  return JSON.stringify({ path: request.url });
}

const devices = async () => (await (await fetch(`${machine.url}/api/devices`)).json()) as Device[];

test('a hub in front of a backend lists its cameras beside its own and leaves the others to it', async () => {
  await vi.waitFor(
    async () => expect((await devices()).map(({ id }) => id)).toEqual([ours, 'old-1', `backend:${ours}`]),
    patient,
  );
  expect((await devices())[1]).toMatchObject({ label: 'Old camera', use: 'unused' });

  await using browser = await openBrowser();
  const page = await browser.newPage();
  await page.goto(`${machine.url}/#/cameras`);
  await page.locator(`[data-device="${ours}"]`).waitFor(patient);
  const old = page.locator('[data-device="old-1"]');
  await old.waitFor(patient);
  expect(await old.textContent()).toContain('Old camera');

  const json = { 'content-type': 'application/json' };
  const change = { method: 'PUT', headers: json, body: '{"gain":7}' };
  const set = await fetch(`${machine.url}/api/devices/old-1/controls`, change);
  expect(await set.json()).toEqual({ path: '/api/devices/old-1/controls' });
  expect(asked).toContain('PUT /api/devices/old-1/controls {"gain":7}');
  expect((await fetch(`${machine.url}/api/devices/${ours}/controls`, change)).ok).toBe(true);
  expect(asked.filter((line) => line.includes(ours))).toEqual([]);
  await fetch(`${machine.url}/api/devices/backend:${ours}/controls`, change);
  expect(asked).toContain(`PUT /api/devices/${ours}/controls {"gain":7}`);
  expect(await (await fetch(`${machine.url}/api/users?all=1`)).json()).toEqual({ path: '/api/users?all=1' });
});

test('if the backend is away its routes fail, and the cameras of the hub stay', async () => {
  backend.close();
  backend.closeAllConnections();
  expect((await fetch(`${machine.url}/api/users`)).status).toBe(502);
  expect((await devices()).map(({ id }) => id)).toEqual([ours]);
  expect((await fetch(`${machine.url}/api/status`)).ok).toBe(true);
});
