import { expect, test } from 'vitest';
import { openPorts } from './open-ports.ts';

const reach = { port: 80, tlsPort: 443 };
const media = { udpPort: 8189, tcpPort: 'auto' } as const;

test('a hub opens ports for pictures and time, a camera for its page alone', () => {
  expect(openPorts({ reach, media }, 'hub')).toBe('tcp 80\ntcp 443\nudp 8189\nudp 123\ntcp 8189\n');
  expect(openPorts({ reach, media: { ...media, tcpPort: 8190 } }, 'hub')).toMatch(
    /^udp 8189\n.*^tcp 8190$/ms,
  );
  expect(openPorts({ reach, media: { ...media, tcpPort: 'off' } }, 'hub')).not.toContain('tcp 8189');
  expect(openPorts({ reach, media }, 'camera')).toBe('tcp 80\ntcp 443\n');
  expect(openPorts({ reach: { ...reach, tlsPort: null }, media }, 'camera')).toBe('tcp 80\n');
  expect(openPorts({ reach: { port: null, tlsPort: 8443 }, media }, 'camera')).toBe('tcp 8443\n');
});
