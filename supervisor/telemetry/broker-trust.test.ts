import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { brokerId } from './broker-trust.ts';
import { Mosquitto } from './mosquitto.fixture.ts';
import type { FoundBroker } from './ports.ts';
import { RunningTelemetry } from './telemetry.fixture.ts';

const patience = { timeout: 30_000, interval: 20 };
const brokerAt = (port: number, host = 'attic.local'): FoundBroker => ({
  name: 'attic',
  host,
  url: `mqtt://127.0.0.1:${port}`,
});

function trusting(...accepted: string[]) {
  const ids = new Set(accepted);
  return { ids, trust: { isAccepted: (id: string) => ids.has(id) } };
}

describe('a broker found on the network', () => {
  test('gets no connection, and so no password, before it is accepted', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connections = vi.fn();
    server.on('connection', connections);
    const found = brokerAt((server.address() as AddressInfo).port);
    const looks = vi.fn(async () => [found]);
    {
      await using running = new RunningTelemetry({
        settings: { url: 'auto', username: 'camera' },
        findBrokers: looks,
        more: { trust: trusting().trust },
      });
      await vi.waitUntil(() => looks.mock.calls.length > 2, patience);
      const { state, found: shown, reason } = running.telemetry.link;
      expect(state).not.toBe('connected');
      expect(shown).toEqual({ ...found, id: brokerId(found) });
      expect(reason).toContain('accept it');
    }
    server.close();
    expect(connections).not.toHaveBeenCalled();
  });

  test('is connected as soon as it is accepted, and disconnected as soon as it is not', async () => {
    await using broker = await Mosquitto.start();
    const found = brokerAt(broker.port);
    const { ids, trust } = trusting();
    await using running = new RunningTelemetry({
      settings: { url: 'auto' },
      findBrokers: async () => [found],
      timing: { backoffMinMs: 600_000, backoffMaxMs: 600_000 },
      more: { trust },
    });
    const { telemetry } = running;
    await vi.waitUntil(() => telemetry.link.state === 'waiting', patience);
    ids.add(brokerId(found));
    telemetry.lookAgain();
    await vi.waitUntil(() => telemetry.link.state === 'connected', patience);
    expect(telemetry.link.found).toBeNull();
    ids.clear();
    telemetry.lookAgain();
    await vi.waitUntil(() => telemetry.link.state === 'waiting', patience);
  });

  test('is not mistaken for the accepted one by its name alone; the accepted one is used, whoever else answers', async () => {
    await using broker = await Mosquitto.start();
    const accepted = brokerAt(broker.port);
    const spoofed = { ...accepted, name: 'a first name', url: 'mqtt://127.0.0.1:9' };
    const answers = [[spoofed], [spoofed, accepted]];
    await using running = new RunningTelemetry({
      settings: { url: 'auto' },
      findBrokers: async () => answers.shift() ?? [],
      more: { trust: trusting(brokerId(accepted)).trust },
    });
    await vi.waitUntil(() => running.telemetry.link.found?.url === spoofed.url, patience);
    await vi.waitUntil(() => running.telemetry.link.broker === accepted.url, patience);
  });
});

test('is identified by its host name with TLS, and by address and name without', () => {
  expect(brokerId({ host: 'b.local', url: 'mqtts://b.local:8883' })).toBe('mqtts://b.local:8883');
  const ids = [brokerAt(1), brokerAt(2), brokerAt(1, 'cellar.local')].map(brokerId);
  expect(new Set(ids).size).toBe(3);
});
