import { createReadStream, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';
import type { ApiEvent, Device, Problem, Status, Take, UnpluggedDevice } from '../../contract/index.ts';
import { statusFixture } from './fixture.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The policy the appliance serves its pages with. */
const policy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'";

/** How an offer is answered. */
export interface WhepAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** An appliance's HTTP side, simulated for the page's tests: built files, status, events, takes, session, WHEP. */
export class FakeAppliance implements AsyncDisposable {
  status: Status = statusFixture();
  takes: Take[] = [];
  devices: Device[] = [];
  unplugged: UnpluggedDevice[] = [];
  /** The settings, spelled as in the file. */
  settings: Record<string, unknown> = { devices: { adopt: 'ask' }, source: [], remote: [] };
  /** Token the page must show; null: none is asked for. */
  token: string | null = null;
  /** Answers offers; replaced by tests that let a real peer answer. */
  answerOffer: (feed: string, offer: string) => Promise<WhepAnswer> = async () => ({
    status: 409,
    headers: { 'retry-after': '30' },
  });
  /** The JPEG picture of every feed, sent again and again over `/ws/feeds/<feed>`; null: that is refused. */
  picture: Buffer | null = null;
  /** Why a take cannot start; null: it can. */
  takeRefusal: Problem | null = null;
  /** Bodies of the requests to adopt. */
  readonly adopted: unknown[] = [];
  /** Bodies of the requests to confirm a hub. */
  readonly confirmed: unknown[] = [];
  readonly acceptedBrokers: unknown[] = [];
  /** What was asked of updates: method, path and body. */
  readonly asked: string[] = [];
  readonly requests: { method: string; path: string; authorization: string | undefined }[] = [];
  readonly #folder: string;
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));
  readonly #streams = new Set<ServerResponse>();
  readonly #sockets = new WebSocketServer({ noServer: true });

  constructor(folder: string) {
    this.#folder = folder;
    this.#server.on('upgrade', (request, socket, head) => this.#sendPictures(request, socket, head));
  }

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many are being sent pictures. */
  get pictureViewers(): number {
    return this.#sockets.clients.size;
  }

  count(method: string, path: RegExp): number {
    return this.requests.filter((request) => request.method === method && path.test(request.path)).length;
  }

  publish(event: ApiEvent): void {
    for (const stream of this.#streams) {
      stream.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    }
  }

  update(change: Partial<Status>): void {
    this.status = { ...this.status, ...change };
    this.publish({ type: 'status', status: this.status });
  }

  /** Disappears like a machine without power. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const method = request.method ?? 'GET';
    this.requests.push({ method, path, authorization: request.headers.authorization });
    if (path.startsWith('/api/') || path.startsWith('/whep/')) {
      await this.#api(method, path, request, response);
    } else {
      this.#file(path, response);
    }
  }

  #sendPictures(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = request.url ?? '/';
    this.requests.push({ method: 'WS', path, authorization: request.headers.authorization });
    if (this.picture === null || !path.startsWith('/ws/feeds/')) {
      socket.end('HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      const timer = setInterval(() => this.picture !== null && client.send(this.picture), 100);
      client.once('close', () => clearInterval(timer));
    });
  }

  #file(path: string, response: ServerResponse): void {
    const file = join(this.#folder, path === '/' ? 'index.html' : path);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const headers = { 'content-type': types[extname(file)], 'content-security-policy': policy };
    createReadStream(file).pipe(response.writeHead(200, headers));
  }

  async #api(
    method: string,
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const bearer = request.headers.authorization?.replace(/^Bearer /, '');
    const cookie = /rushlight_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
    const shown = bearer ?? cookie;
    if (this.token !== null && shown !== this.token) {
      const code = shown === undefined ? 'TOKEN_MISSING' : 'TOKEN_UNKNOWN';
      json(401, { type: 'about:blank', title: 'This token is not known here', status: 401, code });
    } else if (path === '/api/session') {
      const age = method === 'DELETE' ? 0 : 3600;
      const set = `rushlight_session=${bearer ?? ''}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}`;
      response.writeHead(204, { 'set-cookie': set }).end();
    } else if (path === '/api/status') {
      json(200, this.status);
    } else if (path === '/api/events') {
      response.once('close', () => this.#streams.delete(response));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      this.#streams.add(response);
      this.update({});
    } else if (/^\/api\/(rollout|update)/.test(path)) {
      const body = await text(request);
      this.asked.push(`${method} ${path}${body === '' ? '' : ` ${body}`}`);
      json(200, path.startsWith('/api/update') ? this.status.update : this.status.rollout);
    } else if (path.startsWith('/api/system/')) {
      response.writeHead(path.endsWith('identify') ? 204 : 202).end();
    } else if (path === '/api/devices') {
      json(200, this.devices);
    } else if (path === '/api/unplugged-devices') {
      json(200, this.unplugged);
    } else if (path === '/api/config') {
      if (method === 'PATCH') Object.assign(this.settings, JSON.parse(await text(request)));
      json(200, { file: 'rushlight.toml', values: this.settings, overrides: {}, errors: [] });
    } else if (path === '/api/takes' && method === 'GET') {
      json(200, this.takes);
    } else if (path.startsWith('/api/takes/') && method === 'DELETE') {
      const id = path.split('/')[3] ?? '';
      response.writeHead(204).end();
      this.takes = this.takes.filter((take) => take.id !== id);
      this.publish({ type: 'take-removed', id });
    } else if (path.startsWith('/api/takes')) {
      this.#take(method, path, json);
    } else if (/^\/api\/cameras\/[^/]+\/adopt$/.test(path)) {
      const id = path.split('/')[3];
      this.adopted.push(JSON.parse(await text(request)) as unknown);
      this.update({ newCameras: this.status.newCameras.filter((camera) => camera.id !== id) });
      json(201, {});
    } else if (path === '/api/hub/confirm' && method === 'POST') {
      this.confirmed.push(JSON.parse(await text(request)) as unknown);
      response.writeHead(204).end();
      this.update({ adoption: null });
    } else if (path === '/api/mqtt/broker' && method === 'POST') {
      this.acceptedBrokers.push(JSON.parse(await text(request)) as unknown);
      if (this.status.mqtt !== null) this.update({ mqtt: { ...this.status.mqtt, found: null } });
      json(200, this.status.mqtt);
    } else if (/^\/api\/cameras\/[^/]+\/adoption$/.test(path) && method === 'DELETE') {
      const id = path.split('/')[3];
      response.writeHead(204).end();
      this.update({ cameras: this.status.cameras.filter((camera) => camera.id !== id) });
    } else if (path.startsWith('/whep/') && method === 'POST') {
      const answer = await this.answerOffer(path.split('/')[2] ?? '', await text(request));
      response.writeHead(answer.status, answer.headers).end(answer.body);
    } else {
      response.writeHead(method === 'DELETE' ? 200 : 404).end();
    }
  }

  #take(method: string, path: string, json: (status: number, body: unknown) => void): void {
    const startedAt = new Date().toISOString();
    if (method === 'POST' && path === '/api/takes' && this.takeRefusal !== null) {
      json(this.takeRefusal.status, this.takeRefusal);
      return;
    }
    if (method === 'POST' && path === '/api/takes') {
      const cameras = this.status.sources.map(({ id }) => ({
        camera: id,
        device: null,
        state: 'recording' as const,
        reason: null,
        frames: 0,
        droppedFrames: 0,
        sizeBytes: 0,
        segments: 0,
        verified: false,
      }));
      const take: Take = { id: 'take-1', startedAt, stoppedAt: null, state: 'recording', cameras };
      this.status = { ...this.status, recording: { ...this.status.recording, state: 'recording', take } };
      json(201, take);
      return;
    }
    const { take } = this.status.recording;
    if (method !== 'POST' || take === null) {
      json(404, null);
      return;
    }
    const cameras = take.cameras.map((camera) => ({
      ...camera,
      state: 'verified' as const,
      frames: 60,
      segments: 1,
      verified: true,
    }));
    const stopped: Take = { ...take, state: 'verified', stoppedAt: startedAt, cameras };
    this.status = { ...this.status, recording: { ...this.status.recording, state: 'idle', take: stopped } };
    this.takes = [stopped, ...this.takes];
    json(200, stopped);
  }
}
