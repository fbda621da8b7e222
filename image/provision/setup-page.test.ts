import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { askForWifi } from './setup-page.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function post(port: number, form: Record<string, string>): Promise<Response> {
  return await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: new URLSearchParams(form) });
}

test('asks again until the input can be correct', async () => {
  const port = await freePort();
  const asked = askForWifi({ port, name: 'left', seen: ['<Van>'] }, new AbortController().signal);
  const page = await (await fetch(`http://127.0.0.1:${port}/generate_204`)).text();
  expect(page).toContain('<option value="&#60;Van&#62;">');
  expect((await post(port, { ssid: 'Van', psk: 'short' })).status).toBe(422);
  expect((await post(port, { ssid: 'Van', psk: 'x'.repeat(9000) })).status).toBe(400);
  const answer = await post(port, { ssid: 'Van', psk: 'tune in tokyo' });
  expect(await answer.text()).toContain('https://left.local/');
  expect(await asked).toEqual({ ssid: 'Van', psk: 'tune in tokyo', hidden: false });
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});

test('ends with its signal', async () => {
  const stop = new AbortController();
  const asked = askForWifi({ port: await freePort(), name: 'left', seen: [] }, stop.signal);
  stop.abort(new Error('closed'));
  await expect(asked).rejects.toThrow('closed');
});
