import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Datapath, MediaTransport, TransportEvents } from '../datapath/datapath.ts';
import * as clients from './client-offers.fake.ts';
import { RemoteFlow, type RemoteFlowOptions, type RemoteState } from './remote-flow.ts';
import { foreignPace } from './retry-pause.ts';

/** A transport that connects, and is closed by the other side at once. */
class ShortTransport {
  readonly events = new EventEmitter<TransportEvents>();
  readonly local = { ufrag: 'aaaa', pwd: 'a'.repeat(22) };
  readonly candidates = [];
  state = 'new';

  connect(): void {
    this.events.emit('state', 'connected', null);
    queueMicrotask(() => this.close('remote-closed'));
  }

  close(reason: 'remote-closed' | 'closed' = 'closed'): void {
    if (this.state !== 'closed') this.events.emit('state', 'closed', reason);
    this.state = 'closed';
  }
}

const datapath = {
  fingerprint: { algorithm: 'sha-256', value: 'AA' },
  openTransport: async () => new ShortTransport() as unknown as MediaTransport,
} as unknown as Datapath;

function flowTo(url: string, change: Partial<RemoteFlowOptions>, states: RemoteState[] = []): RemoteFlow {
  return new RemoteFlow({
    config: { feed: 'cam0', url },
    datapath,
    logger: pino({ level: 'silent' }),
    onStatus: (state) => states.push(state),
    doing: 'publishing',
    requestTimeoutMs: 2000,
    connectTimeoutMs: 2000,
    pace: foreignPace,
    foreign: true,
    whenReady: async () => true,
    draft: () => ({ offer: 'offer', open: () => ({ tick: () => {}, close: () => {} }) }),
    ...change,
  });
}

async function serve() {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(201, { 'content-type': 'application/sdp' }).end(clients.obs30);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/whip` };
}

describe('A session with another server', () => {
  afterEach(() => vi.restoreAllMocks());

  it('closes at once, even if its feed has nothing to show', async () => {
    const flow = flowTo('http://127.0.0.1:9/', { whenReady: () => new Promise<boolean>(() => {}) });
    flow.start();
    await flow[Symbol.asyncDispose]();
    expect(flow.status.state).toBe('idle');
  });

  it.each([
    ['that is closed at once is tried later and later', 60_000, [60, 70, 90, 130]],
    ['that was stable is tried again as the first time', 0, [60, 60, 60, 60]],
  ])('%s', async (_name, stableMs, pauses) => {
    // The whole of the random part, so that the pauses are known.
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { server, url } = await serve();
    const states: RemoteState[] = [];
    const flow = flowTo(url, { pace: { ...foreignPace, firstMs: 10, stableMs } }, states);
    flow.start();
    const failed = () => states.filter(({ state }) => state === 'failed');
    await vi.waitFor(() => expect(failed().length).toBeGreaterThanOrEqual(4), { timeout: 10_000 });
    await flow[Symbol.asyncDispose]();
    server.close();
    expect(
      failed()
        .slice(0, 4)
        .map(({ retryInMs }) => retryInMs),
    ).toEqual(pauses);
    expect(failed()[0]?.reason).toBe('the connection ended: remote-closed');
    // The next try does not make the reason of the last one untrue.
    const second = states[states.indexOf(failed()[0] as RemoteState) + 1];
    expect(second).toMatchObject({ state: 'connecting', reason: 'the connection ended: remote-closed' });
  });
});
