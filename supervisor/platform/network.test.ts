import { expect, it, vi } from 'vitest';
import { type InterfaceAddresses, systemNetwork, watchNetwork } from './network.ts';

it('knows the loopback interface of this machine', () => {
  const loopback = systemNetwork.interfaces().find(({ isLoopback }) => isLoopback);
  expect(loopback?.addresses).toContain('127.0.0.1');
  expect(systemNetwork.hostName).not.toBe('');
});

it('tells of changes, and only of them, until the signal', async () => {
  const eth0 = (...addresses: string[]): InterfaceAddresses[] => [
    { name: 'eth0', mac: '', isLoopback: false, addresses },
  ];
  let now = eth0('192.0.2.1');
  let looks = 0;
  const network = {
    hostName: 'x',
    interfaces: () => {
      looks += 1;
      return now;
    },
  };
  const told: string[][] = [];
  const stop = new AbortController();
  const onChange = (list: readonly InterfaceAddresses[]) =>
    void told.push(list.flatMap(({ addresses }) => addresses));
  const done = watchNetwork({ network, onChange, pollMs: 5 }, stop.signal);
  now = eth0('192.0.2.2');
  await vi.waitFor(() => expect(told).toEqual([['192.0.2.2']]), { timeout: 20_000 });
  const seen = looks;
  await vi.waitFor(() => expect(looks).toBeGreaterThan(seen + 2), { timeout: 20_000 });
  now = eth0();
  await vi.waitFor(() => expect(told).toEqual([['192.0.2.2'], []]), { timeout: 20_000 });
  stop.abort();
  await done;
});
