import { expect, it } from 'vitest';
import { systemNetwork } from './network.ts';

it('knows the loopback interface of this machine', () => {
  const loopback = systemNetwork.interfaces().find(({ isLoopback }) => isLoopback);
  expect(loopback?.addresses).toContain('127.0.0.1');
  expect(systemNetwork.hostName).not.toBe('');
});
