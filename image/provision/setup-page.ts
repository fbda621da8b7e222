import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { describeError } from '../../common/errors.ts';
import { SetupFormError } from './errors.ts';
import type { WifiNetwork } from './settings.ts';
import { wifiNetworkSchema } from './settings.ts';

const maxBodyBytes = 4096;

/** What the page needs. */
export interface SetupPageOptions {
  readonly port: number;
  readonly name: string;
  /** Names of networks seen before the access point was opened. */
  readonly seen: readonly string[];
}

/**
 * The page of the access point: asks for a Wi-Fi network, and nothing else. Resolves with the entered network, or rejects with
 * the signal's reason. Every path leads to the page, so that phones open it by themselves.
 */
export async function askForWifi(options: SetupPageOptions, signal: AbortSignal): Promise<WifiNetwork> {
  const { promise, resolve, reject } = Promise.withResolvers<WifiNetwork>();
  const server = createServer((request, response) => {
    respond(options, request, response)
      .then((network) => {
        if (network !== null) response.once('close', () => resolve(network));
      })
      .catch((error: unknown) => {
        response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' }).end(describeError(error));
      });
  });
  // Not once: a connection that cannot be accepted later must not end the process either.
  server.on('error', reject);
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  server.listen(options.port);
  try {
    signal.throwIfAborted();
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    server.closeAllConnections();
    server.close();
  }
}

async function respond(
  options: SetupPageOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<WifiNetwork | null> {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    connection: 'close',
  };
  if (request.method !== 'POST') {
    response.writeHead(200, headers).end(page(options, ''));
    return null;
  }
  const form = new URLSearchParams(await readBody(request));
  const psk = form.get('psk') ?? '';
  const parsed = wifiNetworkSchema.safeParse({ ssid: form.get('ssid'), ...(psk === '' ? {} : { psk }) });
  if (!parsed.success) {
    const isPsk = parsed.error.issues[0]?.path[0] === 'psk';
    const complaint = isPsk
      ? 'A Wi-Fi password has 8 to 63 characters, or fewer if it contains letters such as ü. Check it and try again.'
      : 'A network name has 1 to 32 characters, or fewer if it contains letters such as ü. Check it and try again.';
    response.writeHead(422, headers).end(page(options, complaint));
    return null;
  }
  response.writeHead(200, headers).end(done(options.name, parsed.data.ssid));
  return parsed.data;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new SetupFormError('The form is too long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function page({ name, seen }: SetupPageOptions, complaint: string): string {
  const options = seen.map((ssid) => `<option value="${escapeHtml(ssid)}">`).join('');
  return document(
    name,
    `<h1>${escapeHtml(name)}</h1><p>This appliance has no network. Which Wi-Fi should it join?</p>
<p role="alert">${escapeHtml(complaint)}</p>
<form method="post"><label>Network<input name="ssid" list="seen" maxlength="32" required></label>
<datalist id="seen">${options}</datalist>
<label>Password<input name="psk" type="password" maxlength="64" autocomplete="off"></label>
<button>Join</button></form>`,
  );
}

function done(name: string, ssid: string): string {
  const text = `It is joining ${ssid}. Join the same network, then open https://${name}.local/`;
  return document(
    name,
    `<h1>${escapeHtml(name)}</h1><p>${escapeHtml(text)}</p><p>If it fails, this network comes back.</p>`,
  );
}

function document(title: string, body: string): string {
  const style = `body{font:1.1rem system-ui;max-width:26rem;margin:2rem auto;padding:0 1rem;background:#111;color:#eee}
label,input,button{display:block;width:100%;box-sizing:border-box;margin:.5rem 0}input,button{font:inherit;padding:.6rem}
[role=alert]{color:#fb7}`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${style}</style>${body}</html>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
