import { EventEmitter, once } from 'node:events';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import type { AgentUp } from '../contract/index.ts';
import { CameraRegistry } from './camera-registry.ts';

const hello: AgentUp = { type: 'hello', id: 'cam-1', name: 'left', version: '1.0.0', sources: [] };

describe('a hub that fails while it links a camera', () => {
  test('closes that link and accepts the camera at its next attempt', async () => {
    let failures = 1;
    const registry = new CameraRegistry({
      hub: { id: 'hub-1', name: 'control-room' },
      log: pino({ level: 'silent' }),
      claim: async () => (failures > 0 ? { reason: 'not this one' } : null),
      onRefused: () => {
        failures -= 1;
        throw new Error('the owner cannot be notified');
      },
    });
    const first = new FakeSocket();
    registry.accept(first.asSocket, 'key-1', '192.0.2.7');
    first.emit('message', Buffer.from(JSON.stringify(hello)), false);
    expect(await once(first, 'closed')).toEqual([1011]);
    first.emit('close');
    expect(registry.isLinked('cam-1')).toBe(false);

    const second = new FakeSocket();
    registry.accept(second.asSocket, 'key-1', '192.0.2.7');
    second.emit('message', Buffer.from(JSON.stringify(hello)), false);
    expect(await once(second, 'sent')).toEqual([expect.objectContaining({ type: 'welcome' })]);
    expect(registry.isLinked('cam-1')).toBe(true);
    second.emit('close');
  });
});

/** The side of a WebSocket that the registry sees. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState = 1;

  get asSocket(): WebSocket {
    return this as unknown as WebSocket;
  }

  send(text: string): void {
    this.emit('sent', JSON.parse(text));
  }

  close(code: number): void {
    this.emit('closed', code);
  }
}
