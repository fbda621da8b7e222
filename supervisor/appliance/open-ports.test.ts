import { expect, test } from 'vitest';
import { openPorts } from './open-ports.ts';

const http = { port: 80, tls: true, tlsPort: 443 } as Parameters<typeof openPorts>[0]['http'];
const media = { udpPort: 8189 } as Parameters<typeof openPorts>[0]['media'];

test('a hub is called for pictures and the time, a camera for its page alone', () => {
  expect(openPorts({ http, media }, 'hub')).toBe('tcp 80\ntcp 443\nudp 8189\nudp 123\n');
  expect(openPorts({ http, media }, 'camera')).toBe('tcp 80\ntcp 443\n');
  expect(openPorts({ http: { ...http, tls: false }, media }, 'camera')).toBe('tcp 80\n');
});
