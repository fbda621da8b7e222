import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../testing/appliance-process.ts';
import { apiPort } from '../testing/machine.ts';
import { invalidPackets, malformedOffers, malformedRequests, malformedTexts, offer } from './malformed.ts';
import type { attacks, MachineName } from './plan.ts';
import { Random } from './random.ts';
import { addresses, sourceOf, tlsPort } from './stage.ts';

/** An attack. */
export interface AttackRequest {
  readonly attack: (typeof attacks)[number];
  readonly machine: MachineName;
  readonly forMs: number;
  readonly seed: number;
  /** A viewer's key for the hub. */
  readonly token: string;
  readonly hubId: string;
}

/** What came back. */
export interface AttackResult {
  /** Which answers came, and how often. */
  readonly answers: Record<string, number>;
  /** Answers that must not come. */
  readonly wrong: string[];
}

const mediaPort = 8189;
const silentConnections = 300;
const offers = 60;

/** Attacks once, and reports the answer. */
export async function attackWith(request: AttackRequest): Promise<AttackResult> {
  const result: AttackResult = { answers: {}, wrong: [] };
  const random = new Random(request.seed);
  switch (request.attack) {
    case 'silent connections':
      await stayConnected(request, result);
      break;
    case 'malformed HTTP':
      for (const text of malformedRequests(random)) await sendRaw(request, text, result);
      break;
    case 'malformed JSON':
      for (const body of malformedTexts(random)) {
        await call(request, 'PATCH', '/api/config', body, 'application/json', request.token, result);
        await call(request, 'POST', '/api/takes', body, 'application/json', 'wrong', result);
      }
      break;
    case 'malformed SDP':
      for (const body of malformedOffers(random)) {
        await call(
          request,
          'POST',
          `/whep/${sourceOf.camera}`,
          body,
          'application/sdp',
          request.token,
          result,
        );
        await call(request, 'POST', '/whip/intruder', body, 'application/sdp', request.token, result);
      }
      break;
    case 'malformed packets':
      await sendPackets(request, random, result);
      break;
    case 'forged mDNS':
      await forge(request, result);
      break;
    case 'wrong keys':
      await tryKeys(request, random, result);
      break;
    case 'WHIP flood':
    case 'WHEP flood': {
      const path = request.attack === 'WHEP flood' ? `/whep/${sourceOf.camera}` : '/whip/intruder';
      const send = () => call(request, 'POST', path, offer(random), 'application/sdp', request.token, result);
      await Promise.all(Array.from({ length: offers }, send));
      break;
    }
  }
  return result;
}

function note({ answers }: AttackResult, answer: string): void {
  answers[answer] = (answers[answer] ?? 0) + 1;
}

async function stayConnected({ machine, forMs, seed }: AttackRequest, result: AttackResult): Promise<void> {
  const port = seed % 2 === 0 ? apiPort : tlsPort;
  const sockets = Array.from({ length: silentConnections }, () => connect(port, addresses[machine]));
  for (const socket of sockets) {
    socket.on('error', () => note(result, 'cut'));
    socket.on('connect', () => note(result, 'connected'));
  }
  await sleep(forMs);
  for (const socket of sockets) socket.destroy();
}

/** Writes bytes that are not HTTP, without TLS, and waits for the answer or the end. */
async function sendRaw({ machine }: AttackRequest, bytes: Buffer, result: AttackResult): Promise<void> {
  const socket = connect(apiPort, addresses[machine]);
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('error', () => note(result, 'cut'));
  socket.write(bytes);
  await Promise.race([once(socket, 'close').catch(() => undefined), sleep(500)]);
  socket.destroy();
  const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'no answer';
  note(result, status);
  if (status === '500')
    result.wrong.push(`answered 500 to ${JSON.stringify(bytes.toString('latin1').slice(0, 100))}`);
}

/** Resolves to the status; 0 if no one answers. */
async function call(
  { machine }: AttackRequest,
  method: string,
  path: string,
  body: string,
  type: string,
  token: string,
  result: AttackResult,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const headers = { 'content-type': type, authorization: `Bearer ${token}` };
  const options = { host: addresses[machine], port: tlsPort, method, path, headers };
  const request = httpsRequest(
    { ...options, rejectUnauthorized: false, timeout: 5000, agent: false },
    (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    },
  );
  request.on('timeout', () => request.destroy());
  request.on('error', () => resolve(0));
  request.end(body);
  const status = await promise;
  note(result, status === 0 ? 'no answer' : String(status));
  if (status === 500) result.wrong.push(`${method} ${path} was answered 500 to ${body.slice(0, 100)}`);
  return status;
}

async function tryKeys(request: AttackRequest, random: Random, result: AttackResult): Promise<void> {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const token = Array.from({ length: random.between(0, 60) }, () =>
      random.between(0, 15).toString(16),
    ).join('');
    const [method, path] = random.pick<readonly [string, string]>([
      ['GET', '/api/keys'],
      ['GET', '/api/status'],
      ['POST', '/api/takes'],
      ['POST', '/api/system/shutdown'],
      ['GET', '/link'],
    ]);
    const status = await call(request, method, path, '', 'application/json', token, result);
    if (status >= 200 && status < 300)
      result.wrong.push(`${method} ${path} opened for the wrong key "${token}"`);
  }
}

async function sendPackets(
  { machine, forMs }: AttackRequest,
  random: Random,
  result: AttackResult,
): Promise<void> {
  const socket = createSocket('udp4');
  // A machine whose cable is out answers with an error.
  socket.on('error', () => note(result, 'refused'));
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    for (const packet of invalidPackets(random)) {
      socket.send(packet, mediaPort, addresses[machine]);
      note(result, 'sent');
    }
    await sleep(50);
  }
  socket.close();
}

/** Claims to be the hub, and other hubs, for a while. */
async function forge({ forMs, hubId }: AttackRequest, result: AttackResult): Promise<void> {
  const program = join(root, 'supervisor', 'camera', 'mdns-forger.fake.ts');
  const common = [program, '--own', addresses.stranger, '--id', hubId];
  const forgers: ChildProcess[] = [
    spawn(process.execPath, [...common, '--tls', 'cd'.repeat(32), '--others', '5'], { stdio: 'ignore' }),
    spawn(process.execPath, [...common, '--tls', ''], { stdio: 'ignore' }),
  ];
  await sleep(forMs);
  for (const forger of forgers) forger.kill('SIGKILL');
  note(result, 'forged');
}
