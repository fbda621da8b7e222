import type { NetworkInterfaceInfo } from 'node:os';
import { expect, it } from 'vitest';
import { localAddresses } from './local-addresses.ts';

function four(address: string, internal = false): NetworkInterfaceInfo {
  return { address, internal, family: 'IPv4', netmask: '', mac: '', cidr: null };
}

function six(address: string, scopeid = 0, internal = false): NetworkInterfaceInfo {
  return { address, scopeid, internal, family: 'IPv6', netmask: '', mac: '', cidr: null };
}

it('Peers may use every address of both families except link-local IPv6, and loopback last', () => {
  const addresses = localAddresses({
    lo: [four('127.0.0.1', true), six('::1', 0, true)],
    eth0: [six('fd00::2'), four('192.0.2.2'), six('fe80::1', 2), six('2001:db8::2')],
    usb0: [four('169.254.3.4'), six('fd00::2')],
  });
  expect(addresses).toEqual(['192.0.2.2', '169.254.3.4', 'fd00::2', '2001:db8::2', '127.0.0.1']);
});

it('A machine without a network serves itself', () => {
  expect(localAddresses({ lo: [four('127.0.0.1', true), six('::1', 0, true)] })).toEqual(['127.0.0.1']);
});
