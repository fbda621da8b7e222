import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { type AdoptDown, type AgentDown, routes } from '../../supervisor/contract/index.ts';
import { RigError } from './errors.ts';
import { waitFor } from './wait.ts';

/** Where the device's page and API answer. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const deviceName = 'rushlight.local';
const hello = (id: string) => ({ type: 'hello', id, name: id, version: '0.1.0' });

/** The SHA-256 of the certificate the device shows. */
export async function certificateOf(endpoint: Endpoint): Promise<string> {
  const socket: TLSSocket = connect({ ...endpoint, rejectUnauthorized: false, servername: deviceName });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

/** A camera that asks a hub for adoption. `adopt` is the owner's tap on the hub's page; returns the camera's key. */
export async function askAdoption(
  endpoint: Endpoint,
  id: string,
  adopt: () => Promise<unknown>,
  timeoutMs: number,
): Promise<string> {
  const socket = open(endpoint, routes.adoptLink.path, null, timeoutMs);
  const nonce = randomBytes(32).toString('hex');
  const heard = listen<AdoptDown>(socket);
  try {
    await once(socket, 'open');
    socket.send(
      JSON.stringify({ ...hello(id), commitment: createHash('sha256').update(nonce).digest('hex') }),
    );
    await waitFor('the challenge', () => heard.some(({ type }) => type === 'challenge'), { timeoutMs });
    socket.send(JSON.stringify({ type: 'reveal', nonce }));
    await waitFor('the owner has adopted it', async () => (await adopt()) !== undefined, { timeoutMs });
    return await waitFor('the key', () => heard.find((message) => message.type === 'adopted')?.token, {
      timeoutMs,
    });
  } finally {
    socket.on('error', () => {}); // it is decided already; how the socket ends is of no interest
    socket.terminate();
  }
}

/**
 * Links the camera to its hub by its key, until the hub has welcomed it. Returns the hub's id; null if the hub does not accept
 * the key.
 */
export async function linkToHub(
  endpoint: Endpoint,
  id: string,
  token: string,
  timeoutMs: number,
): Promise<string | null> {
  const socket = open(endpoint, routes.agentLink.path, token, timeoutMs);
  const heard = listen<AgentDown>(socket);
  const answer = Promise.withResolvers<number>();
  socket.once('open', () => answer.resolve(101));
  socket.once('unexpected-response', (_request, response) => answer.resolve(response.statusCode ?? 0));
  socket.once('error', answer.reject);
  try {
    const status = await answer.promise;
    if (status === 401) return null;
    if (status !== 101) throw new RigError('RIG_TOOL', `the link of a camera was answered ${status}`);
    socket.send(JSON.stringify({ ...hello(id), sources: [] }));
    return await waitFor('the welcome', () => heard.find((message) => message.type === 'welcome')?.hubId, {
      timeoutMs,
    });
  } finally {
    socket.on('error', () => {}); // it is decided already; how the socket ends is of no interest
    socket.terminate();
  }
}

function open({ host, port }: Endpoint, path: string, token: string | null, timeoutMs: number): WebSocket {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  // The certificate is the device's own; other tests check by its fingerprint that it stays the same.
  const tls = { rejectUnauthorized: false, servername: deviceName };
  return new WebSocket(`wss://${host}:${port}${path}`, { headers, handshakeTimeout: timeoutMs, ...tls });
}

function listen<Message>(socket: WebSocket): Message[] {
  const heard: Message[] = [];
  socket.on('message', (data) => heard.push(JSON.parse(data.toString()) as Message));
  return heard;
}
